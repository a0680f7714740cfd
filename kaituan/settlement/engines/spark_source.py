"""How Spark reads lines and refunds: typed columns, and for each row whether it may stand.

The conditions are those of `records.check_row`. Spark only finds out *that* something is wrong; to say what
and in which row, the folder is read again by `duckdb_run.check_folder`.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkConf
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from kaituan.settlement.engines.folder import table_path
from kaituan.settlement.engines.records import (
    COLUMNS,
    MAY_BE_EMPTY,
    NUMBERS,
    REQUIRED_TEXTS,
    TIME_FORM,
    TIMES,
    check_columns,
    refusal,
)

WHOLE_TYPES = {"tinyint", "smallint", "int", "bigint"}
YEAR_ONE = -62_135_596_800


def read_tables(spark: SparkSession, folders: Mapping[int, Path], table: str) -> DataFrame:
    """One table of many folders, each row with case_no (the folder's key), typed, and `allowed`.

    Files of the same form and columns are read together, so that many cases make one job.
    """
    alike: dict[tuple[str, ...], dict[int, Path]] = defaultdict(dict)
    for case_no, folder in folders.items():
        path = table_path(folder, table)
        columns = _csv_columns(path, table) if path.suffix == ".csv" else _parquet_columns(path, table)
        alike[path.suffix, *columns][case_no] = path
    whole: DataFrame | None = None
    for (ending, *names), paths in alike.items():
        part = _typed(_read(spark, paths, names if ending == ".csv" else None), table)
        whole = part if whole is None else whole.unionByName(part)
    assert whole is not None
    return whole


def _parquet_columns(path: Path, table: str) -> tuple[str, ...]:
    """Names and types: files that differ in a type cannot be read in one go."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as mistake:
        raise refusal(path.name, f"cannot be read: {str(mistake).splitlines()[0]}") from None
    check_columns(table, path.name, schema.names)
    return tuple(f"{field.name} {field.type}" for field in schema)


def _csv_columns(path: Path, table: str) -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig", newline="") as text:
        header = next(csv.reader(text), [])
    check_columns(table, path.name, header)
    return tuple(header)


def _read(spark: SparkSession, paths: Mapping[int, Path], csv_columns: Sequence[str] | None) -> DataFrame:
    """The rows of these files as they are, with case_no. csv_columns: None for Parquet."""
    # A name is a name: what would be a pattern to Spark stands behind a backslash.
    files = [re.sub(r"([\\{}\[\]*?])", r"\\\1", str(path.resolve())) for path in paths.values()]
    if csv_columns is None:
        rows = spark.read.parquet(*files)
    else:
        schema = StructType([StructField(name, StringType()) for name in csv_columns])
        form = spark.read.schema(schema).option("header", True).option("multiLine", True)
        rows = form.option("quote", '"').option("escape", '"').option("mode", "FAILFAST").csv(files)
    if len(paths) == 1:
        rows = rows.withColumn("case_no", F.lit(next(iter(paths))).cast("bigint"))
    else:
        places = [(number, path.resolve().as_uri()) for number, path in paths.items()]
        known = spark.createDataFrame(places, "case_no bigint, place string")
        name = F.regexp_replace(F.col("_metadata.file_path"), "^file:/+", "file:///")
        rows = rows.withColumn("place", name).join(F.broadcast(known), "place")
    return rows


def _typed(rows: DataFrame, table: str) -> DataFrame:
    kinds = dict(rows.dtypes)
    values = {}
    allowed = ["TRUE"]
    for column in COLUMNS[table]:
        value, condition = _column(table, column, kinds[column])
        values[column] = value
        allowed.append(condition)
    shown = [F.col("case_no"), *(F.expr(value).alias(column) for column, value in values.items())]
    return rows.select(*shown, F.expr(" AND ".join(allowed)).alias("allowed"))


def _column(table: str, name: str, kind: str) -> tuple[str, str]:
    """SQL of the typed value, and SQL that is true where the value as given may stand."""
    given = f"`{name}`"
    if name in NUMBERS.get(table, {}):
        return _number(given, kind, *NUMBERS[table][name], optional=name in MAY_BE_EMPTY)
    if name in TIMES.get(table, ()):
        return _time(given, kind)
    if kind != "string" and kind not in WHOLE_TYPES:
        return "CAST(NULL AS STRING)", f"({given} IS NULL)"
    text = f"COALESCE(CAST({given} AS STRING), '')"
    return text, f"({text} <> '')" if name in REQUIRED_TEXTS[table] else "TRUE"


def _number(given: str, kind: str, low: int, high: int, *, optional: bool) -> tuple[str, str]:
    empty = f"{given} IS NULL"
    if kind == "string":
        empty = f"({given} IS NULL OR {given} = '')"
        # \\z and not $, which would let a line end pass.
        whole = f"CASE WHEN {given} RLIKE r'^-?[0-9]+\\z' THEN TRY_CAST({given} AS DECIMAL(38, 0)) END"
    elif kind in ("float", "double"):
        whole = (
            f"CASE WHEN {given} = floor({given}) AND abs({given}) <= {2**53} THEN CAST({given} AS BIGINT) END"
        )
    elif kind in WHOLE_TYPES or kind.startswith("decimal"):
        whole = f"CASE WHEN {given} = TRY_CAST({given} AS DECIMAL(38, 0)) THEN TRY_CAST({given} AS DECIMAL(38, 0)) END"
    else:
        return "CAST(NULL AS BIGINT)", f"({empty} AND {optional})"
    within = f"COALESCE({whole} BETWEEN {low} AND {high}, FALSE)"
    return f"TRY_CAST({whole} AS BIGINT)", f"({empty} OR {within})" if optional else within


def _time(given: str, kind: str) -> tuple[str, str]:
    if kind == "string":
        form = f"^{TIME_FORM.pattern}\\z"
        value = f"CASE WHEN {given} RLIKE r'{form}' THEN unix_seconds(TRY_CAST({given} AS TIMESTAMP)) END"
        return value, f"COALESCE({value} >= {YEAR_ONE}, FALSE)"
    if kind == "timestamp":
        return f"unix_seconds({given})", f"COALESCE(unix_micros({given}) % 1000000 = 0, FALSE)"
    return "CAST(NULL AS BIGINT)", "FALSE"


def session(threads: int | None) -> SparkSession:
    """The running session, or a local one of so many cores where no cluster is configured."""
    builder: Any = SparkSession.builder.appName("kaituan settle")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        # One machine in memory: a partition for each core is enough, and adaptive execution splits large ones.
        "spark.sql.shuffle.partitions": str((threads or 4) * 2),
        "spark.sql.autoBroadcastJoinThreshold": str(64 * 2**20),
    }
    if not SparkConf().contains("spark.master"):
        settings |= {
            "spark.master": f"local[{threads or '*'}]",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    for name, value in settings.items():
        builder = builder.config(name, value)
    found: SparkSession = builder.getOrCreate()
    return found
