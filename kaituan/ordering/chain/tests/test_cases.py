"""The 60 cases of the contract and our own, each read exactly."""

import pytest

from .cases import compare, load


@pytest.mark.parametrize("case", load("contract_cases.jsonl"), ids=lambda case: case["id"])
def test_a_case_of_the_contract_is_read_exactly(case):
    want, got = compare(case)
    assert got == want


@pytest.mark.parametrize("case", load("own_cases.jsonl"), ids=lambda case: case["id"])
def test_one_of_our_own_cases_is_read_exactly(case):
    want, got = compare(case)
    assert got == want


def test_the_files_hold_what_they_promise():
    assert len(load("contract_cases.jsonl")) == 60
    assert sum(len(case["expected"]["orders"]) for case in load("own_cases.jsonl")) >= 700
