"""Two things in one instant: a claim and the end of its window, two decisions of one claim."""

from datetime import timedelta

import pytest

from kaituan.aftersales import services
from kaituan.aftersales.models import Claim
from kaituan.aftersales.refusals import AftersalesRefused
from kaituan.aftersales.tests import conftest
from kaituan.aftersales.tests.test_claims import WINDOW_ENDS, ask, grant
from kaituan.fulfilment.completion import complete_due
from kaituan.fulfilment.tests.test_cutoff_races import together
from kaituan.ordering.models import OrderAdjustment

pytestmark = pytest.mark.django_db(transaction=True)
town = conftest.town


def answer_of(task):
    """The answer, or the refusal that it met."""
    try:
        return task()
    except AftersalesRefused as refusal:
        return refusal


@pytest.mark.parametrize("_round", range(3))
def test_a_claim_in_the_last_instant_holds_its_line_or_is_refused(town, _round):
    just_in_time = WINDOW_ENDS.replace(microsecond=0) - timedelta(microseconds=1)
    together(
        lambda: answer_of(lambda: ask(town, now=just_in_time)),
        lambda: complete_due(now=WINDOW_ENDS),
        lambda: complete_due(now=WINDOW_ENDS),
    )
    town.line.refresh_from_db()
    assert (town.line.completed_at is None) == Claim.objects.filter(status="open").exists()
    town.egg_line.refresh_from_db()
    complete_due(now=WINDOW_ENDS)
    town.egg_line.refresh_from_db()
    assert town.egg_line.completed_at == WINDOW_ENDS


def test_two_deciders_at_once_decide_once(town):
    claim = ask(town)
    answers = together(
        lambda: answer_of(lambda: grant(town, claim, amount_fen=1000)),
        lambda: answer_of(lambda: grant(town, claim, amount_fen=1500)),
        lambda: answer_of(
            lambda: services.refuse_claim(
                claim=claim, answer="不", acting_person=town.operator, now=WINDOW_ENDS
            )
        ),
    )
    decided = [answer for answer in answers if isinstance(answer, Claim)]
    assert len(decided) == 1
    town.paid.refresh_from_db()
    assert town.paid.refunded_fen == decided[0].granted_fen
    assert OrderAdjustment.objects.count() == (decided[0].status == "granted")


def test_one_form_sent_twice_at_once_is_one_claim(town):
    first, second = together(lambda: ask(town), lambda: ask(town))
    assert first == second
    assert Claim.objects.count() == 1
