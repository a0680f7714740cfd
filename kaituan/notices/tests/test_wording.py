"""Every kind of notice can be put into words, and its chat text names nobody."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from kaituan.notices.wording import WORDINGS, named_ids, words

NAMES = {("campaign", 3): "周五水果团", ("offer", 9): "赣南脐橙"}


def test_names_amounts_and_times_are_filled_in():
    closes_at = datetime(2026, 10, 1, 22, 0, tzinfo=ZoneInfo("Asia/Shanghai")).isoformat()
    data = {
        "campaign_id": 3,
        "offer_id": 9,
        "closes_at": closes_at,
        "pickup_on": "2026-10-02",
        "new_fen": 3990,
    }
    with translation.override("en"):
        opened = words(kind="campaign_opened", data=data, names=NAMES)
        cheaper = words(kind="price_lowered", data={**data, "old_fen": 4590}, names=NAMES)
    assert opened.title == "Open now: 周五水果团"
    assert opened.chat == "[周五水果团] is open! Order until October 1 22:00, pick up on October 2."
    assert cheaper.body == "周五水果团: 赣南脐橙 went from ¥45.90 to ¥39.90. The difference goes back to you."


def test_codes_become_words_and_missing_names_an_ellipsis():
    with translation.override("en"):
        assert (
            words(
                kind="tier_changed",
                data={"tier": "captain", "effective_at": "2026-10-01T00:00:00+08:00"},
                names={},
            ).title
            == "Your tier: Captain"
        )
        assert words(kind="campaign_cancelled", data={"campaign_id": 4}, names=NAMES).title == "Called off: …"


def test_the_names_to_look_up_are_gathered_once():
    datas = [{"campaign_id": 3, "offer_id": 9, "amount_fen": 5}, {"campaign_id": 4}, {}]
    assert named_ids(datas) == {"campaign": {3, 4}, "offer": {9}}


@pytest.mark.parametrize("kind", sorted(WORDINGS))
def test_every_kind_can_be_shown_and_no_chat_text_names_a_person(kind):
    wording = WORDINGS[kind]
    data = {}
    for name in wording.placeholders:
        if name.endswith("_at"):
            data[name] = "2026-10-01T04:00:00+00:00"
        elif name.endswith("_on"):
            data[name] = "2026-10-01"
        else:
            data[name] = "7"
    assert not wording.missing_in(data)
    shown = words(kind=kind, data=data, names={})
    assert shown.title
    assert shown.body
    assert not {"leader", "member", "person", "phone", "room"} & {
        name for name in wording.placeholders if "{" + name + "}" in str(wording.chat)
    }
