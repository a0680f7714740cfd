"""What was earned and why, what is held and handed over, what goes out."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen
from kaituan.ledger.services import AccountRef
from kaituan.notices.models import OutboxMessage
from kaituan.payments.models import Remittance
from kaituan.payments.services import cancel_order, leader_receives
from kaituan.settlement import runs
from kaituan.settlement.corrections import confirm_correction, propose_correction
from kaituan.settlement.disputes import answer_dispute
from kaituan.settlement.minimum import set_minimum
from kaituan.settlement.models import Dispute, Statement, Withdrawal
from kaituan.settlement.notices import MONEY_PATH, STATEMENT_PATH, statement_is_ready
from kaituan.settlement.tests.story import Shop
from kaituan.settlement.withdrawals import approve_withdrawals, freeze_withdrawals, payout_failed
from kaituan.web import clock
from kaituan.workbench.tests.conftest import signed_in, text_of
from kaituan.workbench.views import money
from tests import factories as make
from tests.factories import NOON

MONTH_ENDS = NOON + timedelta(days=30)


@pytest.fixture
def cash(town):
    """Zhang paid two oranges in cash."""
    order = town.order(town.zhang, (town.oranges, 2))
    leader_receives(
        order=order, leader=town.leader, channel="cash", amount_fen=7980, key="k", acting_person=town.leader.person,
        now=NOON,
    )  # fmt: skip
    return order


@pytest.fixture
def settled(db, noon):
    """A leader with a settled month: 100 and 50 yuan sold and handed over."""
    make.station()
    make.open_books(starts_at=NOON)
    make.plan()
    shop = Shop(make.leader("王姐"))
    for yuan in (100, 50):
        shop.sell(yuan)
    later = MONTH_ENDS + timedelta(hours=1)
    runs.close_and_settle(ends_at=MONTH_ENDS, now=later, acting_person=None, engine="python")
    shop.statement = Statement.objects.get(leader=shop.leader)
    shop.client = signed_in(shop.leader.person)
    shop.other = signed_in(make.leader("李姐").person)
    with clock.standing_at(later):
        yield shop


def held_fen(leader):
    return balance_fen(AccountRef(AccountKind.LEADER_HELD, f"leader:{leader.pk}"))


def test_what_the_leader_holds_stands_on_the_page_and_is_announced_once(town, owner, stranger, cash):
    assert "¥</i>79.<small>80" in text_of(owner.get("/work/money/"))
    assert "79.<small>80" not in text_of(stranger.get("/work/money/"))
    answer = owner.post("/work/money/remit/", {"amount": "79.80", "reference": "B1"})
    assert answer["Location"] == "/work/money/"
    assert owner.post("/work/money/remit/", {"amount": "79.80", "reference": "B2"}).status_code == 422
    assert Remittance.objects.get().amount_fen == 7980


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "x"}, {"amount": "80"}, {"reference": ""}])
def test_a_wrong_remittance_keeps_what_was_typed(town, owner, cash, wrong):
    data = {"amount": "1.23", "reference": "转账单号九", **wrong}
    answer = owner.post("/work/money/remit/", data)
    assert answer.status_code == 422
    assert f'value="{data["amount"]}"' in text_of(answer)
    assert not Remittance.objects.exists()


def test_cash_of_a_cancelled_order_is_given_back_by_hand_once_and_by_its_holder(
    town, owner, stranger, helper, cash
):
    cancel_order(order=cash, acting_person=town.zhang.person, now=NOON)
    refund = cash.refunds.get()
    assert "亲手退" in text_of(owner.get("/work/"))
    url = f"/work/money/hand-back/{refund.public_id}/"
    for client in (stranger, helper):
        assert client.post(url).status_code == 404
    for _ in range(2):
        owner.post(url)
    refund.refresh_from_db()
    assert (refund.status, held_fen(town.leader)) == ("sent", 0)


def test_a_statement_opens_to_each_amount_and_its_way(settled):
    page = text_of(settled.client.get(f"/work/money/{settled.statement.public_id}/"))
    assert "零售佣金" in page
    assert "自提服务费" in page
    row = settled.client.get(f"/work/money/{settled.statement.public_id}/").context["page"][0]
    why = text_of(settled.client.get(f"/work/money/{settled.statement.public_id}/row/{row.row_id}/"))
    assert "10%" in why
    assert "100.<small>00" in why
    assert "10.<small>00" in why


def test_what_is_told_of_money_leads_to_its_page(settled):
    assert reverse("workbench:money") == MONEY_PATH
    own = STATEMENT_PATH.format(public_id=settled.statement.public_id)
    assert reverse("workbench:statement", args=[settled.statement.public_id]) == own
    for message in OutboxMessage.objects.filter(topic="statement_ready"):
        statement_is_ready(message)
    assert f'href="{own}"' in text_of(settled.client.get("/me/inbox/"))


def test_a_statement_goes_out_as_excel(settled):
    answer = settled.client.get(f"/work/money/{settled.statement.public_id}/excel/")
    assert answer["Content-Disposition"].endswith('.xlsx"')
    assert answer.content[:2] == b"PK"


def test_a_statement_is_its_leaders(settled, nobody):
    row = settled.client.get(f"/work/money/{settled.statement.public_id}/").context["page"][0].row_id
    for rest in ("", "excel/", "print/", f"row/{row}/"):
        url = f"/work/money/{settled.statement.public_id}/{rest}"
        assert settled.other.get(url).status_code == 404
        assert nobody.get(url)["Location"].startswith("/sign-in/")
    assert settled.client.get(f"/work/money/{settled.statement.public_id}/row/999999/").status_code == 404


def test_saying_that_an_amount_is_wrong_opens_one_case_and_needs_words(settled):
    row = settled.client.get(f"/work/money/{settled.statement.public_id}/").context["page"][0].row_id
    url = f"/work/money/{settled.statement.public_id}/row/{row}/"
    assert settled.client.post(url, {"words": " "}).status_code == 422
    for _ in range(2):
        settled.client.post(url, {"words": "这单我记得是三份"})
    dispute = Dispute.objects.get()
    assert (dispute.words, dispute.row_id) == ("这单我记得是三份", row)
    for page in (url, f"/work/money/{settled.statement.public_id}/"):
        assert "这单我记得是三份" in text_of(settled.client.get(page))
    answer_dispute(dispute=dispute, answer="系统里是两份", acting_person=make.person("会计"), now=MONTH_ENDS)
    assert "系统里是两份" in text_of(settled.client.get(url))


def test_a_question_that_was_right_says_what_it_brings_and_then_where_it_stands(settled):
    address = f"/work/money/{settled.statement.public_id}/"
    row = settled.client.get(address).context["page"][0].row_id
    settled.client.post(f"{address}row/{row}/", {"words": "应按 13% 算"})
    proposed = propose_correction(
        dispute=Dispute.objects.get(), amount_fen=300, answer="已升团长", acting_person=make.person("刘运营"),
        now=clock.now(),
    )  # fmt: skip
    assert "处理中" in text_of(settled.client.get(address)), "before it is confirmed nothing is promised"
    confirm_correction(correction=proposed, acting_person=make.person("会计"), now=clock.now())
    for page in (address, f"{address}row/{row}/"):
        shown = text_of(settled.client.get(page))
        assert "你说得对，补 ¥3.00" in shown
        assert "补在下一张对账单里" in shown
    later = clock.now() + timedelta(days=30)
    runs.close_and_settle(ends_at=later, now=later, acting_person=None, engine="python")
    second = Statement.objects.filter(leader=settled.leader).latest("pk")
    own = f"/work/money/{second.public_id}/"
    assert f'href="{own}">在 10/31 – 11/30 的对账单上' in text_of(settled.client.get(address))
    page = settled.client.get(own)
    assert "更正" in text_of(page)
    assert "零售佣金，" not in text_of(page)
    [shown] = page.context["page"]
    assert "原计 10.00 元，补 3.00 元。已升团长" in shown.words
    way = text_of(settled.client.get(f"{own}row/{shown.row_id}/"))
    assert "经核实，补" in way
    assert "/work/o/" in way, "it leads to the order whose pay was corrected"
    assert "更正" in text_of(settled.client.get(f"{own}print/"))


def test_a_statement_is_printed_rule_by_rule_each_with_its_sum(settled):
    page = text_of(settled.client.get(f"/work/money/{settled.statement.public_id}/print/"))
    assert "橙子 5斤×100，实付 100.00 元，按 10% 得 10.00 元" in page
    rules = re.findall(r">([^<]+) 小计，(\d+) 笔</th><td class=\"n\"><strong>([^<]+)<", page)
    assert rules == [("零售佣金", "2", "15.00"), ("自提服务费", "2", "1.90")]
    assert "<strong>16.90</strong>" in page
    assert page.count('class="whose"') == 2, "whose it is stands above each part, on every page"


def test_a_statement_shows_one_rule_alone(settled):
    address = f"/work/money/{settled.statement.public_id}/"
    shown = settled.client.get(address, {"rule": "service"}).context["page"]
    assert [row.rule for row in shown] == ["service", "service"]
    assert len(settled.client.get(address, {"rule": "luck"}).context["page"]) == 4


def test_something_missing_is_said_of_the_whole_statement_once(settled):
    address = f"/work/money/{settled.statement.public_id}/"
    assert settled.client.post(address, {"words": " "}).status_code == 422
    for _press in range(2):
        settled.client.post(address, {"words": "少了周三的 7 号单"})
    dispute = Dispute.objects.get()
    assert (dispute.words, dispute.row) == ("少了周三的 7 号单", None)
    assert "少了周三的 7 号单" in text_of(settled.client.get(address))
    assert settled.other.post(address, {"words": "我也看看"}).status_code == 404


def test_what_will_reach_the_account_stands_there_before_it_is_asked_for(settled):
    """16.90 yuan bear no tax by the rule in force, and she holds nothing of her members' money."""
    page = text_of(settled.client.get("/work/money/withdraw/"))
    assert "实际到账" in page
    parts = settled.client.get("/work/money/withdraw/").context["parts"]
    settled.client.post("/work/money/withdraw/", {"amount": "16.90", "key": "w1"})
    row = Withdrawal.objects.get()
    assert (parts.netted_fen, parts.tax_fen, parts.payout_fen) == (
        row.netted_fen,
        row.tax_fen,
        row.payout_fen,
    )


def test_a_long_statement_comes_page_by_page(settled, monkeypatch):
    monkeypatch.setattr(money, "ROWS", 3)
    address = f"/work/money/{settled.statement.public_id}/"
    pages = [settled.client.get(address, {"page": number}).context["page"] for number in (1, 2)]
    seen = [row.row_id for page in pages for row in page]
    assert [len(list(page)) for page in pages] == [3, 1]
    assert sorted(seen) == sorted(set(seen))


def test_withdrawing_twice_with_one_key_asks_once(settled):
    for _ in range(2):
        settled.client.post("/work/money/withdraw/", {"amount": "16.00", "key": "w1"})
    assert [row.amount_fen for row in Withdrawal.objects.all()] == [1600]
    assert "16.<small>00" in text_of(settled.client.get("/work/money/"))


@pytest.mark.parametrize("amount", ["0", "-1", "x", "9999", ""])
def test_an_amount_that_cannot_be_withdrawn_is_told_and_kept(settled, amount):
    answer = settled.client.post("/work/money/withdraw/", {"amount": amount, "key": "w1"})
    assert answer.status_code == 422
    assert not amount or f'value="{amount}"' in text_of(answer)
    assert not Withdrawal.objects.exists()


def set_minimum_to(fen):
    now = clock.now()
    return set_minimum(
        minimum_fen=fen, effective_from=now, reason="银行收费", acting_person=make.person("陈总"), now=now
    )


def test_the_least_and_the_way_to_it_stand_where_money_is_withdrawn(settled):
    """16.90 yuan are earned: enough for 10, too little for 50."""
    page = text_of(settled.client.get("/work/money/withdraw/"))
    assert "每次至少 ¥10.00" in page
    assert 'name="amount"' in page
    set_minimum_to(5_000)
    for address in ("/work/money/", "/work/money/withdraw/"):
        page = text_of(settled.client.get(address))
        assert "满 ¥50.00 可提现，还差 ¥33.10" in page
        assert 'name="amount"' not in page
        assert "申请提现" not in page


def test_less_than_the_least_is_refused_in_one_sentence_and_stays_typed(settled):
    set_minimum_to(1_500)
    answer = settled.client.post("/work/money/withdraw/", {"amount": "14.99", "key": "w1"})
    assert answer.status_code == 422
    assert "每次至少提现 ¥15.00，你填的是 ¥14.99。" in text_of(answer)
    assert 'value="14.99"' in text_of(answer)
    assert not Withdrawal.objects.exists()


def test_a_coming_minimum_is_told_before_it_holds(settled):
    set_minimum(
        minimum_fen=2_000, effective_from=clock.now() + timedelta(days=3), reason="银行收费",
        acting_person=make.person("陈总"), now=clock.now(),
    )  # fmt: skip
    assert "起，每次至少 ¥20.00" in text_of(settled.client.get("/work/money/withdraw/"))


def test_payouts_that_are_stopped_say_why(settled):
    freeze_withdrawals(
        leader=settled.leader, reason="收款账户核实中", acting_person=make.person("会计"), now=clock.now()
    )
    for address in ("/work/money/", "/work/money/withdraw/"):
        page = text_of(settled.client.get(address))
        assert "提现暂停：收款账户核实中" in page
        assert 'name="amount"' not in page


def test_a_payout_that_came_back_or_was_refused_says_why_and_that_the_money_is_there_again(settled):
    cashier = make.person("会计")
    settled.client.post("/work/money/withdraw/", {"amount": "16.00", "key": "w1"})
    row = Withdrawal.objects.get()
    approve_withdrawals(withdrawal_ids=[row.pk], acting_person=cashier, now=clock.now())
    payout_failed(withdrawal=row, reason="卡号与姓名不符", acting_person=cashier, now=clock.now())
    page = text_of(settled.client.get("/work/money/"))
    assert "银行退回" in page
    assert "卡号与姓名不符" in page
    assert "已退回可提现余额" in page
    assert "16.<small>90" in page


class TestTakingBack:
    """A withdrawal that nobody has approved yet."""

    @pytest.fixture
    def waiting(self, settled):
        settled.client.post("/work/money/withdraw/", {"amount": "16.00", "key": "w1"})
        return Withdrawal.objects.get()

    def address(self, row):
        return f"/work/money/withdraw/{row.public_id}/take-back/"

    def test_it_is_taken_back_from_the_money_page_and_two_taps_are_one(self, settled, waiting):
        page = text_of(settled.client.get("/work/money/"))
        assert "待审核" in page
        assert f'action="{self.address(waiting)}"' in page
        for _tap in range(2):
            page = text_of(settled.client.post(self.address(waiting), follow=True))
            assert "已撤回，¥16.00 又可以提现了。" in page
        waiting.refresh_from_db()
        assert waiting.status == "taken_back"
        assert self.address(waiting) not in page
        assert "提现 · <span" in page
        assert "16.<small>90" in page

    def test_one_that_was_approved_meanwhile_says_so(self, settled, waiting):
        approve_withdrawals(withdrawal_ids=[waiting.pk], acting_person=make.person("会计"), now=clock.now())
        page = text_of(settled.client.post(self.address(waiting), follow=True))
        assert "平台已经审核通过，会打到你的账户，不能撤回了。" in page
        assert self.address(waiting) not in page
        waiting.refresh_from_db()
        assert waiting.status == "approved"

    def test_a_form_left_open_does_not_ask_again_by_itself(self, settled, waiting):
        settled.client.post(self.address(waiting))
        answer = settled.client.post("/work/money/withdraw/", {"amount": "16.00", "key": "w1"})
        assert answer.status_code == 422
        assert Withdrawal.objects.count() == 1

    def test_it_is_for_its_leader_by_a_button(self, settled, waiting, nobody):
        assert settled.other.post(self.address(waiting)).status_code == 404
        assert settled.client.get(self.address(waiting)).status_code == 405
        assert nobody.post(self.address(waiting))["Location"].startswith("/sign-in/")
        waiting.refresh_from_db()
        assert waiting.status == "requested"
