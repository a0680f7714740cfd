"""The pass says who is asking for ten minutes, and nothing can be made to pass for one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.people.passes import check_pass, issue_pass
from kaituan.people.personas import NoPersona, account_of_persona, persona_token
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_a_pass_says_who_is_asking():
    account = make.account()
    claims = check_pass(issue_pass(account=account, now=NOON), now=NOON)
    assert (claims.account_id, claims.person_id) == (account.pk, account.person_id)
    assert claims.session_version == 1


def test_a_pass_ends_after_ten_minutes():
    token = issue_pass(account=make.account(), now=NOON)
    assert check_pass(token, now=NOON + timedelta(minutes=10, seconds=-1)) is not None
    assert check_pass(token, now=NOON + timedelta(minutes=10)) is None


def test_a_changed_pass_is_none():
    token = issue_pass(account=make.account(), now=NOON)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert check_pass(changed, now=NOON) is None
    for changed in (
        token[:-1],
        token[:-4],
        token + "A",
        token + "AAAA",
        token + "=",
        " " + token,
        token + "\n",
    ):
        assert check_pass(changed, now=NOON) is None


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_nonsense_is_no_pass(text):
    assert check_pass(text, now=NOON) is None


def test_another_secret_or_station_signs_no_pass_of_ours(settings):
    account = make.account()
    settings.SECRET_KEY = "the secret of somewhere else"
    elsewhere = issue_pass(account=account, now=NOON)
    settings.SECRET_KEY = "ours"
    assert check_pass(elsewhere, now=NOON) is None
    settings.SECRET_KEY_FALLBACKS = ["the secret of somewhere else"]
    assert check_pass(elsewhere, now=NOON) is not None
    settings.STATION_SCHEMA = "shanghai"
    assert check_pass(elsewhere, now=NOON) is None


class TestPersonas:
    def test_a_link_names_its_account_in_a_demo(self, settings):
        settings.DEMO = True
        account = make.account()
        assert account_of_persona(persona_token(account=account)) == account

    def test_a_demo_s_link_opens_nothing_elsewhere(self, settings):
        settings.DEMO = True
        token = persona_token(account=make.account())
        settings.DEMO = False
        with pytest.raises(NoPersona):
            account_of_persona(token)
        with pytest.raises(NoPersona):
            persona_token(account=make.account())

    def test_forged_links_and_passes_open_nothing(self, settings):
        settings.DEMO = True
        account = make.account()
        token = persona_token(account=account)
        account.is_active = False
        account.save()
        for bad in (token, token[:-1], "", issue_pass(account=account, now=NOON)):
            with pytest.raises(NoPersona):
                account_of_persona(bad)
