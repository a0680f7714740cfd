"""The leader says where to pay to, once, on the way to a withdrawal; from then on only the end of it is shown."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.people.models import PayeeAccount
from kaituan.people.notices import PAYEE_PATH
from kaituan.people.services import refuse_payee_account
from kaituan.settlement import runs
from kaituan.settlement.models import Withdrawal
from kaituan.settlement.tests.story import Shop
from kaituan.settlement.withdrawals import approve_withdrawals
from kaituan.web import clock
from kaituan.workbench.tests.conftest import signed_in, text_of
from tests import factories as make
from tests.factories import NOON

PAGE, WITHDRAW, MONEY = "/work/money/account/", "/work/money/withdraw/", "/work/money/"
CARD = "6200000000000005"
TYPED = {
    "kind": "card",
    "holder_name": "王秀兰",
    "account_number": "6200 0000 0000 0005",
    "bank_name": "工商银行",
}
MONTH_ENDS = NOON + timedelta(days=30)


@pytest.fixture
def earner(db, noon):
    """A leader who has earned something and was never asked where to pay it to."""
    make.station()
    make.open_books(starts_at=NOON)
    make.plan()
    shop = Shop(make.leader("王秀兰"))
    shop.sell(300)
    later = MONTH_ENDS + timedelta(hours=1)
    runs.close_and_settle(ends_at=MONTH_ENDS, now=later, acting_person=None, engine="python")
    PayeeAccount.objects.all().delete()
    shop.client = signed_in(shop.leader.person)
    with clock.standing_at(later):
        yield shop


def ask(client, amount="12", key="k1"):
    return client.post(WITHDRAW, {"amount": amount, "key": key})


def test_who_has_not_said_where_is_led_there_and_not_paid(earner):
    assert "还没填写" in text_of(earner.client.get(MONEY))
    for answer in (earner.client.get(WITHDRAW), ask(earner.client)):
        page = text_of(answer)
        assert "请先填写收款账户" in page
        assert f'class="button" href="{PAGE}"' in page
    assert answer.status_code == 422
    assert not Withdrawal.objects.exists()


def test_once_entered_it_is_shown_by_its_end_and_the_withdrawal_goes_there(earner, caplog):
    caplog.set_level("DEBUG")
    answer = earner.client.post(PAGE, TYPED)
    assert answer["Location"] == WITHDRAW
    account = PayeeAccount.objects.get()
    assert (account.leader, account.set_by, account.account_number) == (
        earner.leader, earner.leader.person, CARD
    )  # fmt: skip
    assert ask(earner.client)["Location"] == MONEY
    assert Withdrawal.objects.get().payee == account
    for address in (PAGE, WITHDRAW, MONEY):
        page = text_of(earner.client.get(address))
        assert "工商银行 尾号 0005" in page
        assert CARD not in page
        assert "王秀兰</span>" not in page
    assert CARD not in caplog.text


def test_two_presses_are_one_account(earner):
    for _press in range(2):
        earner.client.post(PAGE, TYPED)
    assert PayeeAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"account_number": "6200"}, "12 到 19 位"),
        ({"account_number": ""}, 'id="id_account_number_error"'),
        ({"holder_name": " "}, 'id="id_holder_name_error"'),
        ({"bank_name": ""}, "请填写开户银行"),
        ({"kind": "alipay"}, "手机号或邮箱"),
        ({"kind": "wechat"}, "微信号"),
        ({"kind": "cheque"}, "cheque"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(earner, wrong, words):
    answer = earner.client.post(PAGE, {**TYPED, **wrong})
    assert answer.status_code == 422
    page = text_of(answer)
    assert words in page
    for name, value in {**TYPED, **wrong}.items():
        if name != "kind" and value.strip():
            assert f'value="{value}"' in page
    assert not PayeeAccount.objects.exists()


def test_digits_that_do_not_fit_are_asked_about_once(earner):
    typed = {**TYPED, "account_number": "6200000000000006"}
    assert "卡号没错" not in text_of(earner.client.get(PAGE))
    answer = earner.client.post(PAGE, typed)
    assert answer.status_code == 422
    assert 'name="number_is_right"' in text_of(answer)
    assert earner.client.post(PAGE, {**typed, "number_is_right": "on"}).status_code == 302


def test_a_change_says_that_what_waits_stays_where_it_was_asked_for(earner):
    earner.client.post(PAGE, TYPED)
    ask(earner.client)
    ask(earner.client, amount="14", key="k2")
    assert "已申请的提现仍付到原来的账户" in text_of(earner.client.get(PAGE))
    earner.client.post(PAGE, {"kind": "alipay", "holder_name": "王秀兰", "account_number": "13920004321"})
    page = text_of(earner.client.get(PAGE))
    assert "支付宝 尾号 4321" in page
    assert "在途的 ¥26.00 仍付到 工商银行 尾号 0005" in page, "together, not one by one"
    row = Withdrawal.objects.first()
    approve_withdrawals(withdrawal_ids=[row.pk], acting_person=make.person("出纳"), now=MONTH_ENDS)
    row.refresh_from_db()
    assert row.payee.account_number == CARD


def test_a_refused_account_says_why_on_every_page_and_leads_to_another(earner):
    earner.client.post(PAGE, TYPED)
    ask(earner.client)
    account = PayeeAccount.objects.get()
    refuse_payee_account(
        payee=account, reason="户名对不上", acting_person=make.person("出纳"), now=MONTH_ENDS
    )
    page = text_of(earner.client.get(PAGE))
    assert "未通过" in page
    assert "户名对不上" in page
    assert "在途的 ¥12.00 没法打到 工商银行 尾号 0005" in page
    assert "未通过" in text_of(earner.client.get(MONEY))
    page = text_of(earner.client.get(WITHDRAW))
    assert "户名对不上" in page
    assert f'class="button" href="{PAGE}"' in page
    assert ask(earner.client, key="k2").status_code == 422
    assert earner.client.post(PAGE, TYPED)["Location"] == WITHDRAW
    assert ask(earner.client, key="k2")["Location"] == MONEY


def test_what_is_told_of_the_account_leads_to_this_page():
    assert reverse("workbench:payee") == PAGE == PAYEE_PATH


def test_it_is_the_leaders_own_page(earner, nobody):
    earner.client.post(PAGE, TYPED)
    other = signed_in(make.leader("李姐").person)
    assert "0005" not in text_of(other.get(PAGE))
    other.post(PAGE, {**TYPED, "holder_name": "李桂芳"})
    assert PayeeAccount.objects.filter(leader=earner.leader).count() == 1
    buyer = signed_in(earner.member.person)
    assert buyer.get(PAGE).status_code == buyer.post(PAGE, TYPED).status_code == 404
    assert nobody.post(PAGE, TYPED)["Location"].startswith("/sign-in/")
