"""Statements, questions about them, the income file, late returns and stopped payouts, as the office sees them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.people.models import PersonalDataAccess
from kaituan.settlement import runs
from kaituan.settlement.disputes import open_dispute
from kaituan.settlement.models import (
    CommissionRow,
    Correction,
    Dispute,
    Statement,
    Withdrawal,
    WithdrawalFreeze,
)
from kaituan.settlement.tests.story import FULL_PLAN, MONTH_ENDS, Shop, books_and_plan, give_back
from kaituan.settlement.withdrawals import request_withdrawal
from kaituan.web import clock
from tests import factories as make

pytestmark = pytest.mark.django_db
LATER = MONTH_ENDS + timedelta(days=2)


@pytest.fixture
def town(db):
    """A partner above a host who sold 20 000 yuan in 5 lines and one who sold 6 000, settled."""
    books_and_plan(document=FULL_PLAN)
    partner = make.leader("赵总", tier="partner")
    shop = Shop(make.leader("王姐", referrer=partner))
    shop.partner = partner
    shop.lines = [shop.sell(4_000) for _number in range(5)]
    Shop(make.leader("李姐", referrer=partner)).sell(6_000)
    runs.close_and_settle(
        ends_at=MONTH_ENDS, now=MONTH_ENDS + timedelta(hours=1), acting_person=None, engine="python"
    )
    with clock.standing_at(LATER):
        yield shop


def statement_of(leader):
    return Statement.objects.get(leader=leader)


def page_of(client, leader, rule):
    row = CommissionRow.objects.filter(leader=leader, rule=rule).first()
    address = reverse("console:statement-amount", args=[statement_of(leader).public_id, row.pk])
    return client.get(address).content.decode()


class TestAmounts:
    def test_a_line_s_amount_opens_to_its_words_rate_and_plan(self, town, cashier_client):
        page = page_of(cashier_client, town.leader, "sale")
        assert "橙子 5斤×4000, paid ¥4000.00: 10% of it is ¥400.00" in page
        assert make.PLAN in page

    def test_a_team_ladder_opens_to_the_turnover_its_brackets_and_those_below(self, town, cashier_client):
        # 1 % of what is above 10 000: 160 of the team's 26 000, less 100 of Wang's own 20 000.
        page = page_of(cashier_client, town.partner, "team_ladder")
        assert "Less the ladder of 王姐" in page
        assert "李姐" not in page.split("<main")[1], "nothing is taken off for who reached no bracket"
        for yuan in ("26,000", "16,000", "160", "100", "60"):
            assert f"{yuan}.<small>00" in page

    def test_a_dividend_opens_to_the_pool(self, town, cashier_client):
        page = page_of(cashier_client, town.partner, "dividend")
        assert "Turnover of everybody" in page
        assert "0.5%" in page
        assert "26,000.<small>00" in page
        assert "130.<small>00" in page

    def test_another_leader_s_amount_is_not_on_the_statement(self, town, cashier_client):
        foreign = CommissionRow.objects.filter(leader=town.partner).first()
        address = reverse("console:statement-amount", args=[statement_of(town.leader).public_id, foreign.pk])
        assert cashier_client.get(address).status_code == 404


class TestQuestions:
    @pytest.fixture
    def dispute(self, town):
        return open_dispute(
            statement=statement_of(town.leader),
            row=CommissionRow.objects.filter(leader=town.leader, rule="sale").first(),
            words="应按 13% 算", acting_person=town.leader.person, now=LATER,
        )  # fmt: skip

    def test_one_waits_on_the_first_page_with_its_line_and_is_answered_once(self, dispute, operator_client):
        assert "Questions about statements" in operator_client.get(reverse("console:home")).content.decode()
        assert "应按 13% 算" in operator_client.get(reverse("console:disputes")).content.decode()
        address = reverse("console:dispute", args=[dispute.public_id])
        assert "橙子 5斤×4000" in operator_client.get(address).content.decode()
        assert operator_client.post(address, {"answer": " "}).status_code == 422
        assert operator_client.post(address, {"answer": "当时是群主"}).status_code == 302
        refused = operator_client.post(address, {"answer": "改主意了"})
        assert refused.status_code == 422
        dispute.refresh_from_db()
        assert (dispute.answer, dispute.answered_by) == ("当时是群主", operator_client.person)

    def test_one_about_the_whole_statement_has_no_line(self, town, cashier_client):
        row = open_dispute(
            statement=statement_of(town.leader), row=None, words="少一单", acting_person=town.leader.person, now=LATER
        )  # fmt: skip
        page = cashier_client.get(reverse("console:dispute", args=[row.public_id]))
        assert "The whole statement" in page.content.decode()

    def test_one_that_is_right_is_proposed_by_one_and_confirmed_by_another(
        self, town, dispute, operator_client, cashier_client
    ):
        address = reverse("console:dispute", args=[dispute.public_id])
        typed = {"propose": "", "amount": "120.50", "answer": "当时已是团长"}
        assert operator_client.post(address, typed)["Location"] == reverse("console:disputes")
        assert "correction to confirm" in operator_client.get(reverse("console:disputes")).content.decode()
        page = operator_client.get(address).content.decode()
        assert "A cashier other than who proposed it confirms it." in page
        assert 'name="confirm"' not in page
        assert operator_client.post(address, {"confirm": ""}).status_code == 404
        assert "Confirm: pay ¥120.50 more" in cashier_client.get(address).content.decode()
        for _press in range(2):
            assert cashier_client.post(address, {"confirm": ""}).status_code == 302
        correction = Correction.objects.get()
        assert (correction.amount_fen, correction.confirmed_by) == (12_050, cashier_client.person)
        page = cashier_client.get(address).content.decode()
        assert "with the next statement" in page
        assert cashier_client.person.name in page
        runs.close_and_settle(
            ends_at=LATER + timedelta(days=1),
            now=LATER + timedelta(days=1),
            acting_person=None,
            engine="python",
        )
        statement = Statement.objects.filter(leader=town.leader).latest("pk")
        own = reverse("console:statement", args=[statement.public_id])
        assert own in cashier_client.get(address).content.decode()
        page = cashier_client.get(own)
        assert "¥400.00 corrected by ¥120.50. 当时已是团长" in page.content.decode()
        [row] = page.context["page"]
        way = cashier_client.get(reverse("console:statement-amount", args=[statement.public_id, row.row_id]))
        assert "Found right, more" in way.content.decode()

    @pytest.mark.parametrize(
        "wrong", [{"amount": "0"}, {"amount": "x"}, {"amount": ""}, {"amount": "100000.01"}, {"answer": " "}]
    )
    def test_a_wrong_proposal_keeps_what_was_typed(self, dispute, operator_client, wrong):
        typed = {"propose": "", "amount": "12.00", "answer": "算错了", **wrong}
        answer = operator_client.post(reverse("console:dispute", args=[dispute.public_id]), typed)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert not typed["amount"] or f'value="{typed["amount"]}"' in page
        assert typed["answer"] == " " or f"{typed['answer']}</textarea>" in page
        assert not Correction.objects.exists()

    def test_one_that_is_declined_is_open_again_with_the_reason(
        self, dispute, operator_client, cashier_client
    ):
        address = reverse("console:dispute", args=[dispute.public_id])
        operator_client.post(address, {"propose": "", "amount": "120", "answer": "补"})
        refused = cashier_client.post(address, {"decline": "", "reason": " "})
        assert refused.status_code == 422
        cashier_client.post(address, {"decline": "", "reason": "当时是群主"})
        page = operator_client.get(address).content.decode()
        assert "was declined by 周会计: 当时是群主" in page
        assert 'name="propose"' in page
        gone = cashier_client.post(address, {"confirm": ""})
        assert gone.status_code == 422
        assert "no correction to decide on" in gone.content.decode()

    def test_it_is_the_office_s(self, dispute, outsiders):
        for client in outsiders.values():
            for name, rows in (("disputes", []), ("dispute", [dispute.public_id])):
                assert client.get(reverse(f"console:{name}", args=rows)).status_code == 404
        assert not Dispute.objects.exclude(answer="").exists()


class TestIncome:
    ADDRESS = reverse("console:income")

    def test_the_file_of_a_quarter_is_taken_and_that_is_kept(self, town, cashier_client):
        answer = cashier_client.post(self.ADDRESS, {"year": "2026", "quarter": "4"})
        assert answer["Content-Disposition"].endswith('leader-income-2026Q4.csv"')
        assert "王姐" in answer.content.decode("utf-8-sig")
        log = PersonalDataAccess.objects.get()
        assert (log.actor, log.subject) == (cashier_client.person, "quarter:2026Q4")

    @pytest.mark.parametrize("typed", [{}, {"year": "x", "quarter": "1"}, {"year": "2026", "quarter": "5"}])
    def test_a_quarter_that_is_none_is_refused(self, town, cashier_client, typed):
        assert cashier_client.post(self.ADDRESS, typed).status_code == 302
        assert not PersonalDataAccess.objects.exists()

    def test_it_is_the_cashier_s(self, town, operator_client):
        assert operator_client.post(self.ADDRESS, {"year": "2026", "quarter": "4"}).status_code == 404


def test_what_was_bought_before_the_end_and_returned_after_it_is_flagged(town, cashier_client):
    before = cashier_client.get(reverse("console:settlement"))
    assert before.context["returns"] == []
    for line in town.lines[:3]:
        give_back(line, 400_000, MONTH_ENDS + timedelta(days=1))
    page = cashier_client.get(reverse("console:settlement"))
    [(pattern, leader)] = page.context["returns"]
    assert (leader, pattern.line_count, pattern.share_bp) == (town.leader, 3, 6_000)
    assert "returned after it" in page.content.decode()
    assert "Returned after a period" in cashier_client.get(reverse("console:home")).content.decode()


class TestStoppedPayouts:
    ADDRESS = reverse("console:freeze")

    def test_payouts_to_a_leader_stop_with_a_reason_and_go_on(self, town, cashier_client):
        who = {"leader": town.leader.person.public_id}
        cashier_client.post(self.ADDRESS, {**who, "reason": " "})
        assert not WithdrawalFreeze.objects.exists()
        for _press in range(2):
            cashier_client.post(self.ADDRESS, {**who, "reason": "退货异常"})
        assert WithdrawalFreeze.objects.get().frozen_by == cashier_client.person
        assert "退货异常" in cashier_client.get(reverse("console:withdrawals")).content.decode()
        cashier_client.post(self.ADDRESS, {**who, "reason": "已核实", "lift": "1"})
        assert WithdrawalFreeze.objects.get().lift_reason == "已核实"

    def test_what_was_asked_for_before_is_not_approved_while_they_are_stopped(self, town, cashier_client):
        row = request_withdrawal(
            leader=town.leader, amount_fen=10_000, idempotency_key="k", acting_person=town.leader.person, now=LATER
        )  # fmt: skip
        cashier_client.post(self.ADDRESS, {"leader": town.leader.person.public_id, "reason": "退货异常"})
        typed = {"approve": "", "withdrawal": row.public_id}
        answer = cashier_client.post(reverse("console:withdrawals"), typed)
        assert answer.status_code == 422
        assert "退货异常" in answer.content.decode()
        assert Withdrawal.objects.get().status == "requested"

    def test_it_is_the_cashier_s_and_about_a_leader(self, town, cashier_client, operator_client):
        who = {"leader": town.leader.person.public_id, "reason": "?"}
        assert operator_client.post(self.ADDRESS, who).status_code == 404
        assert cashier_client.post(self.ADDRESS, {"leader": "x", "reason": "?"}).status_code == 404
        assert not WithdrawalFreeze.objects.exists()
