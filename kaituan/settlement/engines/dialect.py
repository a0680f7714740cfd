"""The rules' SQL in Spark's words. DuckDB takes it as it is written."""

import sqlglot


def for_spark(statement: str) -> str:
    """One statement of `vector_rules` in Spark's dialect; `//` becomes DIV, which is whole and exact there.

    Raises sqlglot's ParseError on what it cannot read.
    """
    [translated] = sqlglot.transpile(statement, read="duckdb", write="spark")
    return translated
