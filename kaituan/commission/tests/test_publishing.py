"""Plans are published once, judged first, and never changed; pay on other people's sales needs its switch."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.http import Http404

from kaituan.commission import access, queries, services
from kaituan.commission.models import PaySwitch, PlanVersion
from kaituan.people.models import StaffRole
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON


def document(**changes: Any) -> dict[str, Any]:
    guards = {"line_cap_bp": 2000, "paid_depth": 2}
    return deepcopy({**make.PLAN_DOCUMENT, "version": "2026-11-a", "guards": guards, **changes})


def publish(changed: dict[str, Any], **fields: Any) -> PlanVersion:
    return services.publish_plan(
        **{
            "document": changed,
            "effective_from": NOON + timedelta(days=1),
            "reason": "十一月调整",
            "acting_person": make.person("陈总"),
            "now": NOON,
            **fields,
        }
    )


def test_a_published_plan_is_in_force_from_its_time_on_and_not_before():
    row = publish(document())
    assert row.published_by
    assert row.published_by.name == "陈总"
    assert queries.plan_in_force(at=NOON) is None
    assert queries.plan_in_force(at=NOON + timedelta(days=1)) == row
    assert queries.read_version("2026-11-a").sale.rates_bp == {"host": 1000, "captain": 1300, "partner": 1500}


def test_publishing_twice_is_once_and_a_changed_plan_needs_a_new_version():
    first = publish(document())
    assert publish(document()) == first
    with pytest.raises(services.VersionTaken, match="2026-11-a"):
        publish(document(service={"rate_bp": 200, "fen_per_line": 0}))
    assert PlanVersion.objects.count() == 1


def test_nobodys_pay_is_changed_backwards_and_two_plans_do_not_start_together():
    with pytest.raises(services.TooLate):
        publish(document(), effective_from=NOON - timedelta(seconds=1))
    publish(document())
    with pytest.raises(services.TooLate):
        publish(document(version="2026-11-b"))


def test_what_is_no_plan_is_refused_with_every_problem():
    with pytest.raises(services.PlanNotAccepted) as refusal:
        publish(document(sale={"base": "turnover", "rates_bp": {"host": -1}}, entry_fee_fen=9900))
    assert len(refusal.value.problems) == 3
    with pytest.raises(services.ReasonMissing):
        publish(document(), reason=" ")


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("differential", {}),
        ("peer", {"rates_bp": {"host": 500}}),
        ("team_ladder", {"brackets": [[0, 100]]}),
        ("dividend", {"pool_bp": 10, "tiers": ["partner"], "weight": "equal"}),
    ],
)
def test_pay_on_other_peoples_sales_is_refused_until_somebody_switches_it_on(rule, part):
    changed = document(**{rule: part})
    with pytest.raises(services.PlanUnlawful, match="《禁止传销条例》第七条") as refusal:
        publish(changed)
    assert [finding.code for finding in refusal.value.report.findings] == [f"others_sales.{rule}"]
    boss = make.person("陈总")
    services.switch_pay(rule=rule, is_on=True, reason="律师意见书 2026-09", acting_person=boss, now=NOON)
    assert publish(changed).version == "2026-11-a"
    [decision] = queries.switch_history()
    assert (decision.rule, decision.reason, decision.switched_by, decision.switched_at) == (
        rule,
        "律师意见书 2026-09",
        boss,
        NOON,
    )


def test_a_switch_stays_on_while_a_plan_needs_it():
    boss = make.person("陈总")
    with pytest.raises(services.ReasonMissing):
        services.switch_pay(rule="peer", is_on=True, reason="", acting_person=boss, now=NOON)
    with pytest.raises(services.CommissionRefused):
        services.switch_pay(rule="entry_fee", is_on=True, reason="想收", acting_person=boss, now=NOON)
    first = services.switch_pay(rule="peer", is_on=True, reason="试行", acting_person=boss, now=NOON)
    again = services.switch_pay(rule="peer", is_on=True, reason="再点", acting_person=boss, now=NOON)
    assert again == first
    publish(document(peer={"rates_bp": {"host": 100}}))
    with pytest.raises(services.SwitchInUse, match="2026-11-a"):
        services.switch_pay(rule="peer", is_on=False, reason="停", acting_person=boss, now=NOON)
    publish(document(version="2026-12-a"), effective_from=NOON + timedelta(days=2))
    later = NOON + timedelta(days=3)
    services.switch_pay(rule="peer", is_on=False, reason="停", acting_person=boss, now=later)
    assert queries.switches_on(at=later) == []
    assert [switch.rule for switch in queries.switches_on(at=NOON)] == ["peer"]
    assert PaySwitch.objects.count() == 2


def test_a_plan_that_eats_the_margin_of_the_goods_sold_is_refused_and_names_them():
    thin = make.product("鸡蛋 30枚", category=make.category("eggs", "蛋类"))
    make.variant(thin, sale_price_fen=1000, purchase_price_fen=920)
    make.variant(make.product("赣南脐橙"))
    with pytest.raises(services.PlanUnlawful, match="鸡蛋 30枚") as refusal:
        publish(document())
    worst = refusal.value.report.worst_case
    assert worst
    assert (worst.paid_fen, worst.margin_fen, worst.total_fen) == (1000, 80, 150 + 10 + 20)
    careful = document()
    careful["sale"]["category_rates_bp"] = {"eggs": {"host": 200, "captain": 300, "partner": 400}}
    assert publish(careful).version == "2026-11-a"


def test_only_an_administrator_publishes_and_only_the_office_reads():
    def staff(name: str, role: str, **fields: Any):
        account = make.account(make.person(name), is_staff=True)
        StaffRole.objects.create(person=account.person, role=role, effective_from=NOON, **fields)
        return account

    admin, cashier, gone = staff("管", "admin"), staff("出纳", "cashier"), staff("离职", "admin")
    gone.person.staff_roles.update(effective_from=NOON - timedelta(days=9), effective_until=NOON)
    nobody_else = [gone, make.account(), make.account(make.leader().person), None]
    assert access.plan_publisher(admin, now=NOON) == admin.person
    assert access.plan_reader(cashier, now=NOON) == cashier.person
    for visitor in [cashier, *nobody_else]:
        with pytest.raises(Http404):
            access.plan_publisher(visitor, now=NOON)
    for visitor in nobody_else:
        with pytest.raises(Http404):
            access.plan_reader(visitor, now=NOON)
