"""A member's order, from the link in the chat to the number, and its change and end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from kaituan.ordering.models import Order
from tests import factories as make

PHONE = "13800000001"


@pytest.mark.parametrize("walker", [True, False], indirect=True, ids=["scripts", "no-scripts"])
def test_members_order(town, walker, settings):
    now = timezone.now()
    campaign = make.campaign(
        title="周日鲜果团", opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=8),
        pickup_on=(now + timedelta(days=1)).date(), pickup_hours="16:00–19:00", created_by=town.leader.person,
    )  # fmt: skip
    listing = make.listing(campaign, town.group)
    oranges = make.offer(campaign, town.shelf[0])
    eggs = make.offer(campaign, town.shelf[1], price_fen=1200)
    page = walker.page

    walker.go(f"/g/{listing.public_id}/")
    walker.sees("周日鲜果团", "赣南脐橙", "现在接龙，你就是这一号")
    walker.choose(f"offer_{oranges.pk}", 2)
    walker.choose(f"offer_{eggs.pk}", 1)
    walker.tap("加入接龙")
    walker.sign_in(PHONE)

    walker.sees("确认订单", "91.80")
    page.locator("[name=display_name]").fill("林晓")
    page.locator("[name=room]").fill("6-1201")
    walker.tap("加入接龙")
    walker.sees("怎么付款")
    walker.tap("付款 ·")
    walker.sees("不会真的扣钱")
    walker.tap("付款 ·")

    order = Order.objects.get()
    assert page.url.endswith(f"/o/{order.public_id}/")
    assert (order.status, order.paid_fen, order.member.display_name) == ("confirmed", 9180, "林晓")
    walker.sees("付款成功，你的跟团号是1", "已付款", "91.80")

    walker.tap("修改")
    page.locator(f"[name=offer_{eggs.pk}]").fill("0")
    walker.tap("保存")
    order.refresh_from_db()
    assert (order.due_fen, order.refunds.get().amount_fen) == (7980, 1200)
    walker.sees("退款", "12.00")

    walker.tap("取消订单")
    page.locator("button.danger").click()
    page.wait_for_load_state("networkidle")
    walker.look()
    order.refresh_from_db()
    assert order.status == "cancelled"
    walker.sees("订单已取消", "已取消")
    walker.go("/me/")
    walker.sees("周日鲜果团", "已取消")
