"""A dispute that is found right: confirmed by another, paid by the next run, on the statement, once."""

import io
from datetime import timedelta

import openpyxl
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.translation import override

from kaituan.ledger import queries as books
from kaituan.ledger.models import Entry
from kaituan.ledger.periods import close_period
from kaituan.notices.models import OutboxMessage
from kaituan.people.models import Group, StaffRole
from kaituan.people.refusals import DeletionRefused
from kaituan.reporting.inbox import inbox
from kaituan.reporting.invariants import pay
from kaituan.settlement import corrections, disputes, exports, queries, runs
from kaituan.settlement.models import CommissionRow, Correction, Statement
from kaituan.settlement.persons import delete_person, erase_claim_texts
from kaituan.settlement.postings import COMMISSION_COST, payable_account
from kaituan.settlement.tests.races import in_a_thread, until_it_waits_for_me
from kaituan.settlement.tests.story import MONTH_ENDS, NOON, Shop, books_and_plan, give_back
from kaituan.web.statements import amount_way, printed_statement
from kaituan.worker.handlers import HANDLERS
from tests import factories as make

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ASKED_AT = MONTH_ENDS + DAY
SECOND_ENDS, THIRD_ENDS = MONTH_ENDS + 30 * DAY, MONTH_ENDS + 60 * DAY
WORDS = "十月已升团长，按 13% 补"


def settle(ends_at=MONTH_ENDS):
    return runs.close_and_settle(
        ends_at=ends_at, now=ends_at + timedelta(hours=1), acting_person=None, engine="python"
    )


class Case:
    """王姐 sold 100 yuan of oranges in the first month, and was paid 10.00 for selling and 1.20 for handing over."""

    def __init__(self):
        books_and_plan()
        self.shop = Shop(make.leader("王姐"))
        self.leader = self.shop.leader
        self.operator, self.cashier = make.person("刘运营"), make.person("周会计")
        self.line = self.shop.sell(100)
        settle()
        self.statement = Statement.objects.get(leader=self.leader)

    def ask(self, rule="sale"):
        row = (
            CommissionRow.objects.get(leader=self.leader, rule=rule, period=self.statement.period)
            if rule
            else None
        )
        return disputes.open_dispute(
            statement=self.statement, row=row, words="应按 13% 算", acting_person=self.leader.person, now=ASKED_AT
        )  # fmt: skip

    def propose(self, dispute, fen=300, *, words=WORDS, by=None):
        return corrections.propose_correction(
            dispute=dispute, amount_fen=fen, answer=words, acting_person=by or self.operator, now=ASKED_AT
        )

    def confirm(self, correction, *, by=None, now=ASKED_AT + timedelta(hours=1)):
        return corrections.confirm_correction(
            correction=correction, acting_person=by or self.cashier, now=now
        )

    def decline(self, correction, *, by=None, reason="当时还是群主"):
        return corrections.decline_correction(
            correction=correction, reason=reason, acting_person=by or self.cashier, now=ASKED_AT
        )

    def grant(self, rule="sale", fen=300, *, words=WORDS, now=ASKED_AT + timedelta(hours=1)):
        return self.confirm(self.propose(self.ask(rule), fen, words=words), now=now)

    def rows(self, run):
        found = CommissionRow.objects.filter(period=run.period, leader=self.leader, rule="correction")
        return [(row.line_id, row.amount_fen, row.plan_version) for row in found.order_by("line_id")]

    def payable(self):
        return books.balance_fen(payable_account(leader_id=self.leader.pk))

    def second_statement(self, run):
        return Statement.objects.select_related("period", "leader__person").get(
            leader=self.leader, period=run.period
        )


def what_the_doctor_says():
    return [sentence for check in pay.CHECKS for sentence in check.run()]


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def case():
    case = Case()
    yield case
    assert what_the_doctor_says() == []
    assert books.broken_invariants() == []


class TestTwoPairsOfEyes:
    def test_nothing_is_paid_before_another_has_confirmed_it(self, case):
        dispute = case.ask()
        correction = case.propose(dispute)
        assert case.rows(settle(SECOND_ENDS)) == []
        dispute.refresh_from_db()
        assert dispute.answered_at is None
        with pytest.raises(disputes.DisputeRefused, match="Somebody else"):
            case.confirm(correction, by=case.operator)
        case.confirm(correction, now=SECOND_ENDS + DAY)
        dispute.refresh_from_db()
        assert (dispute.answer, dispute.answered_by) == (WORDS, case.operator)

    def test_nor_by_the_leader_whoever_else_she_is(self, case):
        dispute = case.ask()
        with pytest.raises(disputes.DisputeRefused, match="your own question"):
            case.propose(dispute, by=case.leader.person)
        correction = case.propose(dispute)
        with pytest.raises(disputes.DisputeRefused, match="your own question"):
            case.confirm(correction, by=case.leader.person)
        with pytest.raises(IntegrityError), transaction.atomic():
            Correction.objects.update(confirmed_by=case.operator, confirmed_at=ASKED_AT)

    def test_declined_the_question_waits_for_another_answer(self, case):
        dispute = case.ask()
        first = case.propose(dispute)
        with pytest.raises(disputes.DisputeRefused, match="Say why"):
            case.decline(first, reason=" ")
        for _press in range(2):
            first = case.decline(first)
        assert (first.declined_by, first.declined_because) == (case.cashier, "当时还是群主")
        with pytest.raises(disputes.DisputeRefused, match="declined already"):
            case.confirm(first)
        second = case.propose(dispute, 200)
        with pytest.raises(disputes.DisputeRefused, match="confirmed already"):
            case.decline(case.confirm(second))

    def test_a_proposal_says_how_much_and_why_and_stands_alone(self, case):
        dispute = case.ask()
        for fen, words, match in ((0, WORDS, "how much"), (-5, WORDS, "how much"), (300, " ", "answer")):
            with pytest.raises(disputes.DisputeRefused, match=match):
                case.propose(dispute, fen, words=words)
        first = case.propose(dispute)
        assert case.propose(dispute) == first
        with pytest.raises(disputes.DisputeRefused, match="waits already"):
            case.propose(dispute, 400)
        with pytest.raises(disputes.DisputeRefused, match="waits already"):
            disputes.answer_dispute(dispute=dispute, answer="没错", acting_person=case.cashier, now=ASKED_AT)
        assert Correction.objects.count() == 1

    def test_what_was_answered_in_words_is_asked_again_first(self, case):
        dispute = case.ask()
        disputes.answer_dispute(dispute=dispute, answer="没错", acting_person=case.cashier, now=ASKED_AT)
        with pytest.raises(disputes.DisputeRefused, match="answered already"):
            case.propose(dispute)

    def test_a_leader_who_was_forgotten_is_not_paid(self, case):
        correction = case.propose(case.ask())
        case.leader.person.deleted_at = NOON
        case.leader.person.save()
        with pytest.raises(disputes.DisputeRefused, match="nobody to pay"):
            case.confirm(correction)


class TestPaying:
    def test_it_is_a_row_of_the_next_statement_posted_and_payable_once(self, case):
        dispute = case.ask()
        for _press in range(2):
            correction = case.propose(dispute)
        for _press in range(2):
            case.confirm(correction)
        assert case.payable() == 1_120
        for _run in range(2):
            run = settle(SECOND_ENDS)
            assert case.rows(run) == [(case.line.pk, 300, make.PLAN)]
        assert (run.total_fen, run.row_count, run.line_count) == (300, 1, 0)
        assert case.payable() == 1_420
        assert books.balance_fen(COMMISSION_COST) == 1_420
        statement = case.second_statement(run)
        assert (statement.total_fen, statement.row_count) == (300, 1)
        assert queries.leader_balance(leader=case.leader, now=NOON).payable_fen == 1_420
        assert case.rows(settle(THIRD_ENDS)) == []

    def test_it_is_netted_against_what_came_back(self, case):
        case.grant(fen=300)
        give_back(case.line, 5_000, ASKED_AT + DAY)
        run = settle(SECOND_ENDS)
        assert case.second_statement(run).total_fen == 300 - 500
        entry = Entry.objects.get(key=f"commission:{run.period_id}/{case.leader.pk}")
        assert [move.amount_fen for move in entry.transfers.all()] == [200]
        assert case.payable() == 1_120 - 200

    def test_two_of_one_line_are_one_amount_and_the_whole_statement_is_another(self, case):
        case.grant("sale", 300)
        case.grant("service", 80, words="代送上门")
        case.grant(None, 1_000, words="漏了 7 号单")
        run = settle(SECOND_ENDS)
        assert sorted(case.rows(run), key=str) == sorted(
            [(case.line.pk, 380, make.PLAN), (None, 1_000, make.PLAN)], key=str
        )
        by_line = {row.line_id: row for row in queries.statement_rows(statement=case.second_statement(run))}
        assert by_line[case.line.pk].words == (
            "橙子 5斤×100: Sale commission of 2026-10-01 – 2026-10-31, ¥10.00 corrected by ¥3.00. "
            f"{WORDS}; Service fee of 2026-10-01 – 2026-10-31, ¥1.20 corrected by ¥0.80. 代送上门"
        )
        assert by_line[None].words == (
            "Statement of 2026-10-01 – 2026-10-31, ¥11.20 corrected by ¥10.00. 漏了 7 号单"
        )

    def test_a_correction_of_a_correction_goes_on_from_there(self, case):
        case.grant()
        second = settle(SECOND_ENDS)
        row = CommissionRow.objects.get(period=second.period, rule="correction")
        dispute = disputes.open_dispute(
            statement=case.second_statement(second), row=row, words="还少", acting_person=case.leader.person,
            now=SECOND_ENDS + DAY,
        )  # fmt: skip
        case.confirm(case.propose(dispute, 50, words="再补"), now=SECOND_ENDS + DAY)
        assert case.rows(settle(THIRD_ENDS)) == [(case.line.pk, 50, make.PLAN)]

    def test_the_page_the_print_and_the_excel_say_what_it_corrects_and_why(self, case):
        case.grant()
        statement = case.second_statement(settle(SECOND_ENDS))
        words = (
            f"橙子 5斤×100: Sale commission of 2026-10-01 – 2026-10-31, ¥10.00 corrected by ¥3.00. {WORDS}"
        )
        [shown] = queries.statement_rows(statement=statement)
        assert (shown.words, shown.follow_number, shown.campaign) == (words, 1, "周五水果团")
        assert (shown.rate_bp, shown.base_fen) == (None, None)
        [(name, total, [printed])] = printed_statement(statement, now=ASKED_AT)["parts"]
        assert (str(name), total.amount_fen, printed.words) == ("Correction", 300, words)
        sheet = openpyxl.load_workbook(io.BytesIO(exports.statement_workbook(statement=statement))).active
        cells = [cell.value for cell in sheet[4]]
        assert (cells[0], cells[4], cells[7]) == ("Correction", words, 3)
        steps = amount_way(CommissionRow.objects.get(pk=shown.row_id), order_href="/o/")["steps"]
        assert [step[0] for step in steps] == [
            "#1 周五水果团", "Sale commission", "Found right, more", "Amount"
        ]  # fmt: skip
        assert steps[0][3] == "/o/"
        assert (steps[1][2], steps[2][2]) == ("2026-10-01 – 2026-10-31", WORDS)

    def test_the_question_says_what_it_brought_and_where(self, case):
        case.grant()
        [before] = corrections.asked(case.statement.disputes.all())
        assert (before.granted_fen, before.paid_on) == (300, None)
        statement = case.second_statement(settle(SECOND_ENDS))
        [after] = corrections.asked(case.statement.disputes.all())
        assert (after.granted_fen, after.paid_on) == (300, statement)


class TestWhatFallsWithItsLine:
    """Pay for selling hangs on the sale, corrected or not; pay for work done stays."""

    def test_given_back_in_full_later_the_correction_of_a_sale_goes_too(self, case):
        case.grant("sale", 300)
        case.grant("service", 80)
        settle(SECOND_ENDS)
        give_back(case.line, 10_000, SECOND_ENDS + DAY)
        run = settle(THIRD_ENDS)
        assert case.rows(run) == [(case.line.pk, -300, make.PLAN)]
        assert case.payable() == 120 + 80
        [row] = [
            r for r in queries.statement_rows(statement=case.second_statement(run)) if r.rule == "correction"
        ]
        assert row.words == "橙子 5斤×100: given back in full since: ¥3.00 of correction goes with it"

    def test_given_back_in_part_it_stays(self, case):
        case.grant()
        settle(SECOND_ENDS)
        give_back(case.line, 9_999, SECOND_ENDS + DAY)
        assert case.rows(settle(THIRD_ENDS)) == []

    def test_confirmed_and_given_back_in_one_period_it_never_was(self, case):
        case.grant()
        give_back(case.line, 10_000, ASKED_AT + DAY)
        assert case.rows(settle(SECOND_ENDS)) == []
        assert case.payable() == 120

    def test_what_is_granted_although_the_line_was_given_back_already_is_paid(self, case):
        give_back(case.line, 10_000, ASKED_AT - timedelta(hours=3))
        case.grant()
        assert case.rows(settle(SECOND_ENDS)) == [(case.line.pk, 300, make.PLAN)]
        assert case.rows(settle(THIRD_ENDS)) == []
        assert case.payable() == 120 + 300


class TestPeriods:
    def test_confirmed_while_a_run_is_under_way_it_falls_in_the_one_after(self, case):
        correction = case.propose(case.ask())
        with transaction.atomic():
            period = close_period(ends_at=SECOND_ENDS)
        # By a clock that lags: it is recorded now, and the books are closed up to the period's end.
        row = case.confirm(correction, now=SECOND_ENDS - DAY)
        assert row.confirmed_at == SECOND_ENDS
        run = runs.settle_period(period=period, now=SECOND_ENDS + DAY, acting_person=None, engine="python")
        assert case.rows(run) == []
        assert case.rows(settle(THIRD_ENDS)) == [(case.line.pk, 300, make.PLAN)]

    @pytest.mark.django_db(transaction=True)
    def test_closing_waits_for_a_confirmation_and_counts_it(self, case):
        correction = case.propose(case.ask())
        with transaction.atomic():
            case.confirm(correction, now=SECOND_ENDS - DAY)
            settling = in_a_thread(lambda: settle(SECOND_ENDS))
            until_it_waits_for_me(settling)
        assert case.rows(settling.result(timeout=30)) == [(case.line.pk, 300, make.PLAN)]

    @pytest.mark.django_db(transaction=True)
    def test_a_confirmation_waits_for_closing_and_falls_in_the_period_after(self, case):
        correction = case.propose(case.ask())
        with transaction.atomic():
            close_period(ends_at=SECOND_ENDS)
            confirming = in_a_thread(lambda: case.confirm(correction, now=SECOND_ENDS - DAY))
            until_it_waits_for_me(confirming)
        assert confirming.result(timeout=30).confirmed_at == SECOND_ENDS
        assert case.rows(settle(SECOND_ENDS)) == []
        assert case.rows(settle(THIRD_ENDS)) == [(case.line.pk, 300, make.PLAN)]


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_two_confirm_it_once(self, case):
        correction, other = case.propose(case.ask()), make.person("陈总")
        with transaction.atomic():
            case.confirm(correction)
            again = in_a_thread(lambda: case.confirm(correction, by=other))
            until_it_waits_for_me(again)
        assert again.result(timeout=30).confirmed_by == case.cashier
        assert OutboxMessage.objects.filter(topic="dispute_answered").count() == 1

    def test_confirmed_or_declined_but_not_both(self, case):
        correction = case.propose(case.ask())
        with transaction.atomic():
            case.confirm(correction)
            declining = in_a_thread(lambda: case.decline(correction))
            until_it_waits_for_me(declining)
        with pytest.raises(disputes.DisputeRefused):
            declining.result(timeout=30)
        assert case.rows(settle(SECOND_ENDS)) == [(case.line.pk, 300, make.PLAN)]

    def test_answered_in_words_or_proposed_but_not_both(self, case):
        dispute = case.ask()
        with transaction.atomic():
            disputes.answer_dispute(dispute=dispute, answer="没错", acting_person=case.cashier, now=ASKED_AT)
            proposing = in_a_thread(lambda: case.propose(dispute))
            until_it_waits_for_me(proposing)
        with pytest.raises(disputes.DisputeRefused):
            proposing.result(timeout=30)
        assert not Correction.objects.exists()


def test_everybody_who_is_touched_is_told_once(case):
    for person, role in ((case.operator, "cashier"), (case.cashier, "cashier")):
        make.account(person, is_staff=True)
        StaffRole.objects.create(person=person, role=role, effective_from=NOON)
    case.decline(case.propose(dispute := case.ask()))
    case.confirm(case.propose(dispute, 200))
    for _run in range(2):
        topics = ("correction_proposed", "correction_declined", "dispute_answered")
        for message in OutboxMessage.objects.filter(topic__in=topics).order_by("pk"):
            for handler in HANDLERS[message.topic]:
                handler(message)
    assert [row.title for row in inbox(person=case.leader.person)] == ["You were right: ¥2.00 more"]
    assert [row.title for row in inbox(person=case.operator)] == ["Correction not confirmed: ¥3.00"]
    told = [(row.title, row.body) for row in inbox(person=case.cashier)]
    assert told == [
        ("Correction to confirm: ¥2.00", "王姐 is to be paid ¥2.00 more. Please look at it."),
        ("Correction to confirm: ¥3.00", "王姐 is to be paid ¥3.00 more. Please look at it."),
    ]
    assert "13%" not in str(list(OutboxMessage.objects.values()))


class TestForgetting:
    def forget(self, case):
        delete_person(
            person=case.leader.person, acting_person=case.cashier, reason="本人要求", now=SECOND_ENDS
        )

    @pytest.mark.parametrize("confirmed", [False, True])
    def test_what_is_still_to_be_paid_comes_first(self, case, confirmed):
        Group.objects.filter(owner=case.leader).update(archived_at=NOON)
        correction = case.propose(case.ask())
        if confirmed:
            case.confirm(correction)
        assert (
            corrections.waiting_correction(case.leader.person)
            == "A correction of this leader's statement is still to be paid."
        )
        with pytest.raises(DeletionRefused):
            self.forget(case)
        if not confirmed:
            case.decline(correction)
        settle(SECOND_ENDS)
        assert corrections.waiting_correction(case.leader.person) is None

    def test_what_was_said_goes_and_that_it_was_answered_stays(self, case):
        case.grant()
        disputes.answer_dispute(
            dispute=case.ask(), answer="王姐，没错", acting_person=case.cashier, now=ASKED_AT
        )
        waiting = case.ask("service")
        assert erase_claim_texts(case.leader.person) == 4
        assert erase_claim_texts(case.leader.person) == 0
        assert set(Correction.objects.values_list("words", flat=True)) == {""}
        said = case.statement.disputes.order_by("pk").values_list("words", "answer")
        assert list(said) == [("", "–"), ("", "–"), ("", "")]
        waiting.refresh_from_db()
        assert waiting.answered_at is None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE settlement_correction SET amount_fen = 299", "299 fen were confirmed, the rows are 300 fen"),
        ("DELETE FROM settlement_correction", "0 fen were confirmed, the rows are 300 fen"),
        (
            "UPDATE settlement_correction SET confirmed_at = NULL, confirmed_by_id = NULL",
            "do not say the same",
        ),
    ],
)
def test_the_doctor_sees_a_correction_that_its_rows_do_not_pay(case, damage, words):
    case.grant()
    settle(SECOND_ENDS)
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT whole")
        cursor.execute(damage)
        found = what_the_doctor_says()
        cursor.execute("ROLLBACK TO SAVEPOINT whole")
    assert any(words in sentence for sentence in found)
