"""A leader's day: open, share, paste the chain, ask, book, key in, hand over, look at the money."""

from datetime import timedelta

from django.utils import timezone

from kaituan.campaigns.models import Campaign, Listing
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.cutoff import cut_off
from kaituan.fulfilment.purchasing import send_all
from kaituan.fulfilment.receiving import Counted, receive
from kaituan.fulfilment.sharing import Policy, share_out
from kaituan.ordering.models import Order
from tests import factories as make

CHAIN = "#接龙 周日鲜果团\n1. 张敏 脐橙2 鸡蛋1\n2. 李阿姨 3份\n3. 老周 鸡蛋2"


def test_leaders_day(town, walker):
    page = walker.page
    for name, room in (("张敏", "3-502"), ("李阿姨", "2-101"), ("老周", "1-301"), ("王奶奶", "5-102")):
        make.member(town.group, name, room=room)

    walker.go("/work/")
    walker.sign_in(town.leader_phone)
    walker.tap("开团")
    for box in page.locator("input[name=variant]").all():
        box.check()
    walker.tap("就选这些")
    page.locator("[name=title]").fill("周日鲜果团")
    walker.tap("发布")
    campaign = Campaign.objects.get()
    listing = Listing.objects.get()
    assert campaign.status == "open"
    walker.sees("发布成功", f"/g/{listing.public_id}/", "赣南脐橙")
    page.locator("img.poster").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('img.poster').naturalWidth === 1080")

    walker.go(f"/work/l/{listing.public_id}/")
    walker.tap("改时间、价格")
    walker.tap("延长截单时间")
    walker.tap("先看影响")
    walker.go(f"/work/l/{listing.public_id}/")
    walker.tap("粘贴接龙")
    page.locator("[name=text]").fill(CHAIN)
    walker.tap("读一读")
    walker.sees("1处要你确认", "李阿姨 3份", "2条可以记下")
    walker.tap("赣南脐橙 ×3")
    page.get_by_text("3条可以记下").wait_for()
    walker.tap("记下3条")
    walker.sees("已记下3条接龙")
    assert Order.objects.count() == 3

    walker.go(f"/work/l/{listing.public_id}/key-in/")
    page.locator("[name=who]").fill("王奶奶")
    page.locator("[name=what]").fill("鸡蛋1")
    page.keyboard.press("Enter")
    page.get_by_text("王奶奶 已记下").wait_for()
    walker.look()
    assert Order.objects.get(source="key_in").paid_fen == 1200

    goods_come(campaign, listing)
    walker.go("/work/")
    walker.sees("4单等着提货")
    walker.tap("等着提货")
    page.locator("[name=q]").fill("5-102")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    walker.tap("王奶奶")
    walker.sees("5-102", "土鸡蛋")
    walker.tap("确认提货")
    walker.sees("已提货", "下一位")
    assert Order.objects.get(source="key_in").lines.get().handed_over_at is not None

    walker.tap("下一位")
    walker.tap("张敏")
    walker.tap("记收款")
    walker.tap("已收到钱")
    walker.sees("收款已记下")
    walker.go("/work/money/")
    zhang = Order.objects.get(member__display_name="张敏")
    assert zhang.unpaid_fen == 0
    walker.sees("我手上的货款", f"{(zhang.paid_fen + 1200) // 100}.")


def goods_come(campaign, listing):
    """The evening and the next morning, by the services: cut off, bought, received, shared out, arrived."""
    now = timezone.now()
    operator = make.person("站长")
    Campaign.objects.filter(pk=campaign.pk).update(closes_at=now - timedelta(seconds=1))
    campaign.refresh_from_db()
    cut_off(campaign=campaign, now=now)
    orders = campaign.snapshots.get(number=1).purchase_orders.all()
    send_all(purchase_orders=orders, acting_person=operator, now=now)
    for order in orders:
        counts = [Counted(variant_id=line.variant_id, quantity=50) for line in order.lines.all()]
        receive(purchase_order=order, counts=counts, acting_person=operator, now=now)
    for offer in campaign.offers.select_related("variant"):
        share_out(
            campaign=campaign,
            variant=offer.variant,
            policy=Policy.FIRST_COME,
            acting_person=operator,
            now=now,
        )
    confirm_arrival(campaign=campaign, pickup_point=listing.pickup_point, acting_person=None, now=now)
