"""Phones and names as people type them, and what others may see of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.people.identity import clean_name, clean_phone
from kaituan.people.masking import mask_address, mask_name, mask_phone, mask_room
from kaituan.people.refusals import InvalidName, InvalidPhone


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        "+86 138-0013-8000",
        "0086 13800138000",
        "８６13800138000",
        " 138.0013.8000 ",
    ],
)
def test_a_phone_is_read_however_it_is_typed(typed):
    assert clean_phone(typed) == "13800138000"


@pytest.mark.parametrize(
    "typed", ["", "1380013800", "138001380000", "12800138000", "+1 3800138000", "abc", "860"]
)
def test_what_is_no_mobile_number_is_refused(typed):
    with pytest.raises(InvalidPhone):
        clean_phone(typed)


def test_a_name_is_put_on_one_line_and_bounded():
    assert clean_name("  张\n敏\t ") == "张 敏"
    assert clean_name("👩‍🌾 小米") == "👩‍🌾 小米"
    for bad in ("", " \n ", "\x00\x07", "长" * 61):
        with pytest.raises(InvalidName):
            clean_name(bad)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张敏", "张*"),
        ("欧阳小燕", "欧**"),
        ("李", "李*"),
        ("3-502李姐", "李*"),
        ("A座602 王芳", "王*"),
        ("12栋1单元502赵大爷", "赵**"),
        ("三号楼孙姨", "孙*"),
        ("楼小姐", "楼**"),
        ("🌸小米", "小*"),
        ("Tom Lee", "T**"),
        ("3-502", "*"),
        ("", "*"),
    ],
)
def test_a_masked_name_shows_one_letter_and_never_the_room(name, masked):
    assert mask_name(name) == masked


@given(st.text(max_size=40))
def test_a_masked_name_holds_at_most_one_letter_and_no_digit(name):
    masked = mask_name(name)
    assert len(masked) <= 3
    assert not any(c.isdigit() for c in masked)
    assert len(masked.strip("*")) <= 1


def test_phones_addresses_and_rooms_are_masked():
    assert mask_phone("13812340000") == "138****0000"
    assert mask_phone("110") == "****"
    assert mask_phone("") == ""
    assert mask_address("朝阳区翠成馨园3号楼502") == "朝阳区翠成馨园***"
    assert mask_address("朝阳区翠成馨园") == "朝阳区***"
    assert mask_address("翠成馨园B座") == "翠成馨园***"
    assert mask_address("") == ""
    assert (mask_room("3-502"), mask_room("")) == ("***", "")


@given(st.text(alphabet="翠成馨园号楼单元0123456789 -", max_size=30))
def test_a_masked_address_never_shows_a_number(address):
    assert not any(c.isdigit() for c in mask_address(address))
