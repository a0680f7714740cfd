"""The chain reader: how much of the case files it reads exactly, and how long it takes.

    python benchmarks/chain_reader.py [--json FILE] [--cases FILE.jsonl ...]

The held-out cases were written by somebody who had not seen the reader, after its last rule. No rule may be made
from them: then they become own cases, and others are written.

Floor: the time that Python needs only to look at every character of the same text once; the ratio says how
much more the reading costs. Times are the best of three, in seconds of processor time.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kaituan.ordering.chain import Product, read_chain
from kaituan.ordering.chain.tests.cases import compare, load

NAMES = ("王姐", "李哥", "小张", "阿美", "老吴", "小周", "小林", "阿强", "阿珍", "大刘")
FRUIT = (
    Product("A", "橙子", ("橙",), "5斤", 3990),
    Product("B", "草莓", (), "盒", 2500),
    Product("C", "苹果", (), "箱", 5800),
    Product("D", "车厘子", ("樱桃",), "斤", 4500),
)


def paste(lines: int) -> str:
    """A chain of so many entries with a name, a room, two products and a remark."""
    return "#接龙 周五水果\n" + "\n".join(
        f"{i}. {NAMES[i % 10]}{i} {i % 30 + 1}-{i % 20 + 101} 草莓{i % 5 + 1} 车厘子{i % 4 + 1}斤 放门口"
        for i in range(1, lines + 1)
    )


def best(work: Any, *arguments: Any) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        work(*arguments)
        times.append(time.process_time() - start)
    return min(times)


def touch(text: str) -> int:
    """The floor: one look at every character."""
    seen = 0
    for char in text:
        seen += char > " "
    return seen


KNOWN = (100, 0, 0)
NEVER_SEEN = (90, 1, 6)
"""What is asked for, in per cent of the orders: exact at least, silent errors and needless questions at most."""


def accuracy(
    name: str, cases: list[dict[str, Any]], targets: tuple[int, int, int] = KNOWN
) -> list[dict[str, Any]]:
    total = exact = silent = needless = 0
    for case in cases:
        want_rows, got_rows = compare(case)
        total += len(want_rows)
        for i, want in enumerate(want_rows):
            got = got_rows[i] if i < len(got_rows) else None
            exact += got == want
            silent += got != want and not (got and got["asked"])
            needless += bool(got and got["asked"] and not want["asked"])
    return [
        figure(f"{name}: exact orders", 100 * exact / total, "%", target=targets[0], at_least=True),
        figure(f"{name}: silent errors", 100 * silent / total, "%", target=targets[1]),
        figure(f"{name}: needless questions", 100 * needless / total, "%", target=targets[2]),
    ]


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    floor: float | None = None,
    target: float | None = None,
    at_least: bool = False,
) -> dict[str, Any]:
    met = None if target is None else (value >= target if at_least else value <= target)
    ratio = round(value / floor, 1) if floor else None
    return {
        "figure": name,
        "value": round(value, 3),
        "unit": unit,
        "floor": floor and round(floor, 4),
        "ratio": ratio,
        "target": target,
        "met": met,
    }


def speed() -> list[dict[str, Any]]:
    out = []
    lines = [
        json.dumps({"products": c["products"], "text": c["text"]}, ensure_ascii=False)
        for c in [*load("contract_cases.jsonl"), *load("own_cases.jsonl")][:80]
    ]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from kaituan.cli.main import main; main()", "jielong", "read"],
        input="\n".join(lines).encode(), stdout=subprocess.DEVNULL, check=True, timeout=60,
    )  # fmt: skip
    took = time.perf_counter() - start
    bare = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True, timeout=60)
    out.append(
        figure(
            "80 texts in one process, with start-up", took, "s", floor=time.perf_counter() - bare, target=2
        )
    )
    for count in (1_000, 2_000, 5_000, 10_000):
        text = paste(count)
        target = 2 if count == 5_000 else None
        out.append(
            figure(
                f"a paste of {count} lines",
                best(read_chain, text, FRUIT),
                "s",
                floor=best(touch, text),
                target=target,
            )
        )
    return out


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--cases", type=Path, nargs="*", default=[], help="more case files in the form of the contract"
    )
    options = parser.parse_args()
    figures = [
        *accuracy("contract cases", load("contract_cases.jsonl")),
        *accuracy("own cases", load("own_cases.jsonl")),
        *accuracy("held-out cases", load("held_out_cases.jsonl"), NEVER_SEEN),
    ]
    for path in options.cases:
        cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        figures += accuracy(path.name, cases)
    figures += speed()
    for row in figures:
        floor = f"   floor {row['floor']} {row['unit']}, ratio {row['ratio']}" if row["floor"] else ""
        target = (
            "" if row["target"] is None else f"   target {row['target']}: {'met' if row['met'] else 'MISSED'}"
        )
        print(f"{row['figure']:<44}{row['value']:>9} {row['unit']}{floor}{target}")
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["met"] is not False for row in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
