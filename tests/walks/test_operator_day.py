"""An operator's day at the desk: cut off, order, count one short, share out, goods are there, settle."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.utils import timezone

from kaituan.fulfilment.completion import complete_due
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ordering.models import Order, OrderLine
from kaituan.payments import services as payments
from kaituan.payments.models import Refund
from kaituan.people.services import create_staff_account, grant_role
from kaituan.settlement.models import SettlementRun
from tests import factories as make
from tests.walks.conftest import Walker, watched_page

PASSWORD = "correct horse battery"


@pytest.fixture
def desk(chromium: Any, live_server: Any, phones: Any) -> Iterator[Walker]:
    with watched_page(chromium, width=1440, height=900) as page:
        yield Walker(page, live_server.url, phones, "operator_day")


def staff_signs_in(desk: Walker) -> None:
    """The way in: password, then the code of the second factor."""
    now = timezone.now()
    account = create_staff_account(
        name="陈总", username="chen", password=PASSWORD, acting_person=None, now=now
    )
    grant_role(person=account.person, role="admin", acting_person=None, now=now)
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(account, secret)
    desk.go("/console/")
    desk.page.locator("[name=username]").fill("chen")
    desk.page.locator("[name=password]").fill(PASSWORD)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("[name=code]")
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    desk.page.locator("[name=code]").fill(code)
    if "/code/" in desk.page.url:
        desk.page.keyboard.press("Enter")
    desk.page.wait_for_url("**/console/")


def orders_come(town: Any) -> Any:
    """Three members have ordered oranges, two of them for cash; the window is still open for some hours."""
    now = timezone.now()
    campaign = make.campaign(
        title="周日鲜果团", opens_at=now - timedelta(hours=3), closes_at=now + timedelta(hours=5),
        pickup_on=(now + timedelta(days=1)).date(), created_by=town.leader.person, claim_window_hours=0,
    )  # fmt: skip
    listing = make.listing(campaign, town.group)
    oranges = make.offer(campaign, town.shelf[0])
    for name, count in (("张敏", 2), ("李阿姨", 1), ("老周", 1)):
        order = make.place(
            listing, make.member(town.group, name), (oranges, count), now=now - timedelta(hours=1),
            settles="leader",
        )  # fmt: skip
        payments.leader_receives(
            order=order, leader=town.leader, channel="cash", amount_fen=order.due_fen, key=name,
            acting_person=town.leader.person, now=now,
        )  # fmt: skip
    return campaign


def everybody_fetches(town: Any) -> None:
    # Minutes ago: periods end at whole seconds, and what completes in the closing second is of the next one.
    now = timezone.now() - timedelta(minutes=2)
    for line in OrderLine.objects.filter(allocated_quantity__gt=0):
        hand_over(
            lines_quantities={line.pk: line.allocated_quantity}, method="code", leader=town.leader,
            acting_person=town.leader.person, now=now, key=f"hand-{line.pk}",
        )  # fmt: skip
    assert complete_due(now=now + timedelta(minutes=1))


def test_operator_day(town, desk):
    campaign = orders_come(town)
    page = desk.page
    staff_signs_in(desk)
    desk.sees("今日订单", "3", "159.60", "即将截单", "周日鲜果团")

    desk.tap("周日鲜果团")
    desk.tap("立即截单")
    page.locator("#cut-off .panel button.button:not(.close)").click()
    desk.page.get_by_text("已截单").first.wait_for()
    desk.look()
    assert Order.objects.filter(status="confirmed").count() == 3

    desk.tap("采购单")
    page.locator("main").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_text("发给供应商").wait_for()
    desk.tap("发给供应商")
    desk.sees("已发送", "4 × 5斤")
    order = PurchaseOrder.objects.get()
    assert order.status == "sent"
    page.locator("input[name^=line_]").fill("3")
    desk.tap("记下实收")
    desk.sees("已记下实收数", "少了")
    assert order.lines.get().received_quantity == 3

    desk.go(f"/console/campaigns/{campaign.public_id}/")
    desk.sees("待分货")
    desk.tap("预览分货")
    desk.sees("39.90")
    assert not Refund.objects.exists()
    desk.tap("就这样分")
    desk.sees("已分货")
    assert Refund.objects.get().amount_fen == 3990

    desk.tap("货已到点")
    desk.sees("已到货")
    for kind in ("sorting", "pickup", "labels"):
        desk.go(f"/console/campaigns/{campaign.public_id}/sheets/{kind}/")
    desk.sees("翠成馨园")

    everybody_fetches(town)
    desk.go("/console/settlement/")
    desk.tap("结束本期并结算")
    page.locator("#close .panel form button.button").click()
    page.get_by_text("结算完成").first.wait_for()
    desk.look()
    run = SettlementRun.objects.get()
    assert run.line_count == 3
    assert run.total_fen > 0
    desk.tap("王姐")
    desk.sees("零售佣金", "自提服务费", "周日鲜果团")
