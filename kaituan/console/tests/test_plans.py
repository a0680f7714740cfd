"""The plan page: a look first, the guard's refusals with their source, versions that tell what they changed."""

import json

import pytest
from django.urls import reverse

from kaituan.commission.models import PaySwitch, PlanVersion
from kaituan.console.plan_document import FIRST, as_typed, read_typed
from kaituan.people.models import LeaderTier, Person, PersonalDataAccess
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ADDRESS = reverse("console:plans")


@pytest.fixture(autouse=True)
def plan():
    with clock.standing_at(NOON):
        yield make.plan(document={**make.PLAN_DOCUMENT, "guards": {"paid_depth": 2}})


def typed(plan, **more):
    return {
        **as_typed(plan.document),
        "version": "2026-10-b",
        "effective_from": "2026-10-05T08:00",
        "reason": "旺季",
        **more,
    }


def test_a_look_tells_what_changes_and_publishes_nothing(plan, admin_client):
    answer = admin_client.post(ADDRESS, typed(plan, rate_host="11.5", look="1"))
    assert answer.status_code == 200
    assert answer.context["changes"] == [("Sale commission · Host", "10%", "11.5%")]
    assert PlanVersion.objects.count() == 1


def test_a_version_is_published_once_and_its_changes_are_told(plan, admin_client):
    for _press in range(2):
        answer = admin_client.post(ADDRESS, typed(plan, rate_host="11.5", publish="1"))
        assert answer.status_code == 302
    new = PlanVersion.objects.get(version="2026-10-b")
    assert new.document["sale"]["rates_bp"]["host"] == 1150
    assert new.published_by == admin_client.person
    versions = admin_client.get(ADDRESS).context["versions"]
    assert versions[0] == (new, [("Sale commission · Host", "10%", "11.5%")])


def test_pay_on_other_people_s_sales_is_refused_with_its_source_until_it_is_switched_on(plan, admin_client):
    others = json.dumps({"sale": {"base": "paid"}, "differential": {}, "guards": {"paid_depth": 2}})
    refused = admin_client.post(ADDRESS, typed(plan, others=others, publish="1"))
    assert refused.status_code == 422
    assert any("第七条" in problem or "(" in problem for problem in refused.context["problems"])
    assert "differential" in refused.content.decode(), "what was typed stays"
    answer = admin_client.post(ADDRESS, {"switch": "differential", "is_on": "yes", "reason": " "})
    assert answer.status_code == 422
    admin_client.post(ADDRESS, {"switch": "differential", "is_on": "yes", "reason": "律师已审"})
    assert PaySwitch.objects.get().switched_by == admin_client.person
    assert admin_client.post(ADDRESS, typed(plan, others=others, publish="1")).status_code == 302


def test_an_entry_fee_cannot_be_configured(plan, admin_client):
    answer = admin_client.post(
        ADDRESS, typed(plan, others='{"entry_fee": 9900, "guards": {"paid_depth": 2}}', look="1")
    )
    assert answer.status_code == 422
    assert "第七条" in answer.content.decode()


@pytest.mark.parametrize(
    "bad",
    [
        {"rate_host": "much"},
        {"rate_host": "1.234"},
        {"rate_host": "²"},
        {"rate_host": "101"},
        {"service_fen": "-1"},
        {"others": "{"},
        {"others": "[]"},
        {"others": '{"sale": 3}'},
        {"version": ""},
        {"effective_from": "soon"},
        {"reason": ""},
        {"effective_from": "2026-09-01T08:00", "publish": "1"},
    ],
)
def test_bad_input_is_refused_and_stays_typed(plan, admin_client, bad):
    answer = admin_client.post(ADDRESS, typed(plan, **{"rate_partner": "15.25", **bad}))
    assert answer.status_code == 422
    assert 'value="15.25"' in answer.content.decode()
    assert PlanVersion.objects.count() == 1


def test_the_form_says_what_the_document_says(plan):
    for document in (plan.document, FIRST):
        wanted, problems = read_typed(document, as_typed(document))
        assert problems == []
        assert {**wanted, "version": document["version"]} == document


def test_a_person_s_phone_is_shown_for_a_reason_only_and_that_is_kept(operator_client):
    person = make.person("孙敏", phone="13912345678")
    address = reverse("console:person", args=[person.public_id])
    assert "13912345678" not in operator_client.get(address).content.decode()
    assert "13912345678" not in operator_client.get(reverse("console:people") + "?q=孙敏").content.decode()
    assert "13912345678" in operator_client.post(address, {"show": "", "reason": "送货"}).content.decode()
    log = PersonalDataAccess.objects.get()
    assert (log.actor, log.reason, log.row_count) == (operator_client.person, "送货", 1)


def test_a_leader_s_tier_is_set_with_a_reason(operator_client):
    leader = make.leader()
    address = reverse("console:person", args=[leader.person.public_id])
    assert operator_client.post(address, {"tier": "captain", "reason": ""}).status_code == 422
    assert operator_client.post(address, {"tier": "captain", "reason": "业绩"}).status_code == 302
    assert LeaderTier.objects.filter(leader=leader).latest("effective_from").tier == "captain"
    nobody = make.person("新人")
    address = reverse("console:person", args=[nobody.public_id])
    assert operator_client.post(address, {"tier": "host", "reason": "加入"}).status_code == 302
    assert Person.objects.get(pk=nobody.pk).leader
