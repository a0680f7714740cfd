"""`kaituan jielong read`: one answer per line, and nothing of Django."""

import json
import subprocess
import sys

from .cases import load

GOOD = {"products": [{"code": "A", "name": "橙子", "unit": "箱", "price_fen": 3990}], "text": "1. 王姐 2"}


def run(*lines, options=()):
    command = [sys.executable, "-c", "from kaituan.cli.main import main; main()", "jielong", "read", *options]
    done = subprocess.run(
        command, input="\n".join(lines).encode(), capture_output=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_a_broken_line_is_answered_in_its_place_and_the_rest_goes_on():
    good = json.dumps(GOOD, ensure_ascii=False)
    answers = run(good, "not json", '{"text": 3}', '{"products": [{}], "text": ""}', "[1]", good)
    assert [set(a) for a in answers] == [
        {"orders", "needs_review"},
        *[{"error"}] * 4,
        {"orders", "needs_review"},
    ]
    assert answers[0]["orders"][0]["lines"] == [{"code": "A", "qty": 2}]


def test_a_carriage_return_and_bad_bytes_do_not_stop_it():
    assert len(run(json.dumps(GOOD) + "\r", json.dumps(GOOD))) == 2


def test_evidence_is_printed_on_request():
    (answer,) = run(json.dumps(GOOD), options=["--evidence"])
    assert answer["evidence"][0]["lines"][0]["from"][0]["text"].strip() == "2"


def test_eighty_texts_are_read_in_one_process():
    cases = [*load("contract_cases.jsonl"), *load("own_cases.jsonl")][:80]
    assert len(run(*[json.dumps({"products": c["products"], "text": c["text"]}) for c in cases])) == 80


def test_reading_needs_no_django_and_no_opencc():
    code = (
        "import sys; from kaituan.ordering.chain.service import answer_line; import kaituan.cli.jielong; "
        f"answer_line({json.dumps(json.dumps(GOOD))}); "
        "print([m for m in ('django', 'opencc', 'pypinyin') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=True, text=True
    )
    assert done.stdout.strip() == "[]"
