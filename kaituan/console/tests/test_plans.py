"""The plan page: a look first, the guard's refusals with their source, versions that tell what they changed."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.commission.models import PaySwitch, PlanVersion
from kaituan.commission.plan import read_plan
from kaituan.console.plan_form import FIRST, PlanForm, as_typed
from kaituan.people.models import LeaderTier, Person, PersonalDataAccess
from kaituan.settlement.tests.story import FULL_PLAN
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ADDRESS = reverse("console:plans")


@pytest.fixture(autouse=True)
def plan():
    with clock.standing_at(NOON):
        yield make.plan(document={**make.PLAN_DOCUMENT, "guards": {"paid_depth": 2}})


def typed(document, **more):
    """What a browser sends for the form that shows `document`."""
    return {
        **as_typed(document),
        "version": "2026-10-b",
        "effective_from": "2026-10-05T08:00",
        "reason": "旺季",
        **more,
    }


def look(client, said):
    return client.post(ADDRESS, {**said, "look": "1"})


def publish(client, said):
    """As people do: look first, then publish what was looked at."""
    return client.post(ADDRESS, {**said, "seen": look(client, said).context["seen"], "publish": "1"})


def switch_on(client, *rules):
    for rule in rules:
        client.post(ADDRESS, {"switch": rule, "is_on": "yes", "reason": "律师已审"})


def test_a_look_tells_what_changes_and_publishes_nothing(plan, admin_client):
    answer = look(admin_client, typed(plan.document, **{"sale-host": "11.5"}))
    assert answer.status_code == 200
    assert answer.context["changes"] == [("Sale commission · Host", "10%", "11.5%")]
    assert "The dearest case" in answer.content.decode()
    assert PlanVersion.objects.count() == 1


def test_a_version_is_published_once_and_its_changes_are_told(plan, admin_client):
    said = typed(plan.document, **{"sale-host": "11.5"})
    seen = look(admin_client, said).context["seen"]
    for _press in range(2):
        answer = admin_client.post(ADDRESS, {**said, "seen": seen, "publish": "1"})
        assert answer.status_code == 302
    new = PlanVersion.objects.get(version="2026-10-b")
    assert new.document["sale"]["rates_bp"]["host"] == 1150
    assert new.published_by == admin_client.person
    versions = admin_client.get(ADDRESS).context["versions"]
    assert versions[0] == (new, [("Sale commission · Host", "10%", "11.5%")])


def test_only_what_was_looked_at_is_published(plan, admin_client):
    said = typed(plan.document)
    seen = look(admin_client, said).context["seen"]
    for later in ({"sale-host": "19"}, {"effective_from": "2026-10-02T00:00"}):
        answer = admin_client.post(ADDRESS, {**said, **later, "seen": seen, "publish": "1"})
        assert answer.status_code == 422
        assert "look again" in answer.content.decode()
    assert PlanVersion.objects.count() == 1


@pytest.mark.parametrize(
    "document",
    [
        FIRST,
        make.PLAN_DOCUMENT,
        FULL_PLAN,
        {**FULL_PLAN, "service": {}, "peer": {"rates_bp": {"host": 0}}, "guards": {}},
        {**FULL_PLAN, "sale": {"base": "margin"}, "dividend": {"pool_bp": 0, "tiers": [], "weight": "equal"}},
    ],
)
def test_the_form_says_every_rule_that_a_document_says(document):
    form = PlanForm({**typed(document), "version": document["version"] or "v1"}, document=FIRST)
    assert form.is_valid(), form.errors
    assert form.plan() == read_plan({**document, "version": document["version"] or "v1"})


def test_every_rule_is_typed_without_a_document(plan, admin_client):
    switch_on(admin_client, "differential", "peer", "team_ladder", "dividend")
    make.category("seafood", "海鲜")
    said = typed(plan.document) | {
        "tiers": "host、captain, partner", "base": "margin",
        "category-0": "seafood", "category-0-host": "8",
        "differential": "on",
        "peer": "on", "peer-host": "5",
        "team_ladder": "on", "from-0": "0", "rate-0": "0", "from-1": "10000", "rate-1": "1.5",
        "dividend": "on", "pool": "0.5", "dividend-partner": "on", "weight": "equal",
        "line_cap": "20", "paid_depth": "1",
    }  # fmt: skip
    assert publish(admin_client, said).status_code == 302
    assert PlanVersion.objects.get(version="2026-10-b").document == {
        "version": "2026-10-b",
        "tiers": ["host", "captain", "partner"],
        "sale": {
            "base": "margin",
            "rates_bp": {"host": 1000, "captain": 1300, "partner": 1500},
            "category_rates_bp": {"seafood": {"host": 800}},
        },
        "service": {"rate_bp": 100, "fen_per_line": 20},
        "differential": {},
        "peer": {"rates_bp": {"host": 500}},
        "team_ladder": {"brackets": [[0, 0], [1_000_000, 150]]},
        "dividend": {"pool_bp": 50, "tiers": ["partner"], "weight": "equal"},
        "guards": {"line_cap_bp": 2000, "paid_depth": 1},
    }


def test_pay_on_other_people_s_sales_is_refused_at_its_field_with_its_source_until_switched_on(
    plan, admin_client
):
    said = typed(plan.document, differential="on")
    refused = look(admin_client, said)
    assert refused.status_code == 422
    [problem] = refused.context["form"].errors["differential"]
    assert "第七条" in problem
    assert not refused.context["seen"], "there is nothing to publish"
    answer = admin_client.post(ADDRESS, {"switch": "differential", "is_on": "yes", "reason": " "})
    assert answer.status_code == 422
    switch_on(admin_client, "differential")
    assert PaySwitch.objects.get().switched_by == admin_client.person
    assert "律师已审" in admin_client.get(ADDRESS).content.decode()
    assert publish(admin_client, said).status_code == 302
    answer = admin_client.post(ADDRESS, {"switch": "differential", "is_on": "no", "reason": "停"})
    assert answer.status_code == 422, "the plan to come needs it"


def test_the_worst_case_and_the_goods_behind_a_refusal_are_shown(plan, admin_client):
    make.variant(make.product("鸡蛋 30枚"), sale_price_fen=1000, purchase_price_fen=920)
    refused = look(admin_client, typed(plan.document))
    assert "鸡蛋 30枚" in refused.context["form"].errors["base"][0]
    worst = refused.context["worst"]
    assert (worst.paid_fen, worst.margin_fen, worst.total_fen) == (1000, 80, 150 + 10 + 20)
    assert "¥1.80" in refused.content.decode()


def test_more_rows_keep_what_was_typed_and_judge_nothing(plan, admin_client):
    answer = admin_client.post(ADDRESS, {**typed(plan.document, **{"from-0": "zero"}), "more": "bracket"})
    assert answer.status_code == 200
    assert len(answer.context["form"].brackets()) == 4
    assert 'value="zero"' in answer.content.decode()


def test_a_tier_that_is_added_gets_its_own_fields(plan, admin_client):
    answer = look(admin_client, typed(plan.document, tiers="host, captain, partner, chief"))
    assert answer.status_code == 200
    assert 'name="sale-chief"' in answer.content.decode()


@pytest.mark.parametrize("tiers", [" , ", "host, host", "x" * 31, ", ".join(f"t{n}" for n in range(13))])
def test_tiers_that_cannot_be_are_refused_at_their_field(plan, admin_client, tiers):
    answer = look(admin_client, typed(plan.document, tiers=tiers))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["tiers"]


def test_a_new_version_may_begin_from_any_version(plan, admin_client):
    make.plan(
        version="old",
        document={**plan.document, "version": "old", "service": {"rate_bp": 777}},
        effective_from=NOON - timedelta(days=90),
    )
    assert 'value="7.77"' in admin_client.get(ADDRESS, {"from": "old"}).content.decode()
    assert admin_client.get(ADDRESS, {"from": "none"}).status_code == 404


class TestDocuments:
    def test_an_exported_plan_comes_back_into_the_form(self, plan, admin_client):
        exported = admin_client.get(reverse("console:plan-document"), {"version": plan.version})
        assert exported.json() == plan.document
        answer = admin_client.post(ADDRESS, {"import": json.dumps({**FULL_PLAN, "version": "theirs"})})
        assert answer.status_code == 200
        assert {key: str(answer.context["form"][key].value()) for key in ("version", "rate-1", "pool")} == {
            "version": "theirs", "rate-1": "1.00", "pool": "0.50",
        }  # fmt: skip
        assert PlanVersion.objects.count() == 1

    def test_an_entry_fee_cannot_be_configured(self, plan, admin_client):
        answer = admin_client.post(ADDRESS, {"import": json.dumps({**plan.document, "entry_fee": 9900})})
        assert answer.status_code == 422
        assert "第七条" in answer.content.decode()
        assert "9900" in answer.content.decode(), "what was typed stays"

    @pytest.mark.parametrize("text", ["{", "[]", '{"sale": 3}', ""])
    def test_what_is_no_plan_is_refused(self, admin_client, text):
        assert admin_client.post(ADDRESS, {"import": text}).status_code == 422

    def test_a_version_that_is_not_there_is_not_found(self, admin_client, cashier_client, operator_client):
        address = reverse("console:plan-document")
        assert admin_client.get(address).status_code == 404
        assert cashier_client.get(address, {"version": make.PLAN}).status_code == 200
        assert operator_client.get(address, {"version": make.PLAN}).status_code != 200


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"sale-host": "much"}, "sale-host"),
        ({"sale-host": "1.234"}, "sale-host"),
        ({"sale-host": "101"}, "sale-host"),
        ({"sale-host": "-1"}, "sale-host"),
        ({"service_yuan": "-1"}, "service_yuan"),
        ({"base": "turnover"}, "base"),
        ({"category-0-host": "3"}, "category-0"),
        ({"category-0": "fruit", "category-1": "fruit"}, "category-1"),
        ({"team_ladder": "on"}, "from-0"),
        ({"team_ladder": "on", "from-0": "5", "rate-0": "1"}, "from-0"),
        ({"team_ladder": "on", "from-0": "0"}, "rate-0"),
        ({"team_ladder": "on", "from-0": "0", "rate-0": "1", "from-1": "0", "rate-1": "2"}, "from-1"),
        ({"dividend": "on"}, "pool"),
        ({"weight": "by luck"}, "weight"),
        ({"paid_depth": "three"}, "paid_depth"),
        ({"paid_depth": "3"}, "paid_depth"),
        ({"paid_depth": ""}, "paid_depth"),
        ({"line_cap": "5"}, "line_cap"),
        ({"category_rows": "many"}, "category_rows"),
        ({"version": ""}, "version"),
        ({"effective_from": "soon"}, "effective_from"),
        ({"reason": ""}, "reason"),
    ],
)
def test_bad_input_is_refused_at_its_field_and_stays_typed(plan, admin_client, bad, field):
    make.category("fruit", "水果")
    answer = look(admin_client, typed(plan.document, **{"sale-partner": "15.25", **bad}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert 'value="15.25"' in answer.content.decode()


def test_no_plan_takes_effect_in_the_past(plan, admin_client):
    past = (NOON - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    answer = publish(admin_client, typed(plan.document, effective_from=past))
    assert answer.status_code == 422
    assert PlanVersion.objects.count() == 1


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
