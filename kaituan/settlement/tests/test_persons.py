"""Two persons who are one: everything of both is the one's, to the fen. One who asks to be forgotten is."""

from datetime import timedelta

import pytest
from django.db import connection

from kaituan.fulfilment.models import PickupCode
from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen, broken_invariants
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.notices import queries as inbox
from kaituan.notices.services import tell
from kaituan.ordering.models import ChainLink, ChainPaste, Order, PersonOfferQuantity
from kaituan.payments.services import cancel_order, leader_receives, pay_from_balance
from kaituan.people.models import Account, Leader, Member, Person, PersonMerge
from kaituan.people.refusals import DeletionRefused, MergeRefused
from kaituan.people.services import add_helper, grant_role
from kaituan.settlement.persons import delete_person, merge_persons
from kaituan.worker.clock import run_due
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def books():
    make.station()
    make.open_books()
    make.plan()


@pytest.fixture
def scene():
    """张敏 is in group one; "小张" in groups one and two is the same person. Both ordered a limited offer."""

    class Scene:
        leader = make.leader("王姐")
        one = make.group(leader, "一群")
        two = make.group(leader, "二群")
        kept = make.person("张敏")
        merged = make.person("小张", phone="13800138000")
        campaign = make.campaign()

    scene = Scene()
    scene.offer = make.offer(scene.campaign, per_person_quantity=10)
    scene.in_one = make.listing(scene.campaign, scene.one)
    scene.in_two = make.listing(scene.campaign, scene.two)
    scene.kept_in_one = make.member(scene.one, "张敏", of=scene.kept)
    scene.merged_in_one = make.member(scene.one, "小张", of=scene.merged)
    scene.merged_in_two = make.member(scene.two, "小张", of=scene.merged)
    scene.first = make.place(scene.in_one, scene.kept_in_one, (scene.offer, 2))
    scene.second = make.place(scene.in_one, scene.merged_in_one, (scene.offer, 3))
    scene.third = make.place(scene.in_two, scene.merged_in_two, (scene.offer, 4))
    return scene


def merge(scene, now=LATER):
    return merge_persons(kept=scene.kept, merged=scene.merged, acting_person=scene.leader.person, now=now)


def give_balance(person, amount_fen, kind=AccountKind.BALANCE_PRINCIPAL):
    cash = AccountRef(AccountKind.CHANNEL_CASH, "gateway:bank")
    post_entry(
        key=f"top-up:{person.pk}:{kind}:{amount_fen}",
        kind="top_up",
        reference=f"person:{person.pk}",
        occurred_at=NOON,
        moves=[Move(cash, AccountRef(kind, f"person:{person.pk}"), amount_fen)],
    )


def balance_of(person, kind=AccountKind.BALANCE_PRINCIPAL):
    return balance_fen(AccountRef(kind, f"person:{person.pk}"))


class TestMerging:
    def test_orders_come_to_the_one_person_and_their_member_in_each_group(self, scene):
        row = merge(scene)
        orders = Order.objects.order_by("pk")
        assert {order.person_id for order in orders} == {scene.kept.pk}
        assert [o.member_id for o in orders] == [
            scene.kept_in_one.pk,
            scene.kept_in_one.pk,
            scene.merged_in_two.pk,
        ]
        assert row.moved["orders"] == 2
        assert Member.objects.get(pk=scene.merged_in_two.pk).person == scene.kept
        assert Member.objects.get(pk=scene.merged_in_one.pk).left_at == LATER
        assert [o.follow_number for o in orders] == [1, 2, 1]

    def test_limits_count_what_both_had(self, scene):
        merge(scene)
        counter = PersonOfferQuantity.objects.get()
        assert (counter.person, counter.quantity) == (scene.kept, 9)
        assert make.place_one(scene.in_one, scene.kept_in_one, (scene.offer, 2))[0].outcome == "limit_reached"
        assert make.place_one(scene.in_one, scene.kept_in_one, (scene.offer, 1))[0].outcome == "placed"

    def test_a_moved_order_can_be_cancelled_and_gives_its_part_of_the_limit_back(self, scene):
        merge(scene)
        order = Order.objects.get(pk=scene.second.pk)
        cancel_order(order=order, acting_person=scene.kept, now=LATER, reason="不要了")
        assert PersonOfferQuantity.objects.get(person=scene.kept).quantity == 6

    def test_balances_are_one_by_an_entry_and_every_fen_stays(self, scene):
        give_balance(scene.kept, 500)
        give_balance(scene.merged, 1200)
        give_balance(scene.merged, 70, AccountKind.BALANCE_BONUS)
        merge(scene)
        assert (balance_of(scene.kept), balance_of(scene.merged)) == (1700, 0)
        assert balance_of(scene.kept, AccountKind.BALANCE_BONUS) == 70
        assert broken_invariants() == []

    def test_what_was_paid_from_the_balance_goes_back_to_the_one_person(self, scene):
        give_balance(scene.merged, 100_000)
        due_fen = scene.second.due_fen
        pay_from_balance(order=scene.second, acting_person=scene.merged, key="balance-1", now=NOON)
        merge(scene)
        order = Order.objects.get(pk=scene.second.pk)
        cancel_order(order=order, acting_person=scene.kept, now=LATER, reason="不要了")
        run_due(now=LATER)
        assert due_fen > 0
        assert balance_of(scene.kept) == 100_000
        assert broken_invariants() == []

    def test_account_inbox_phone_and_roles_come_along(self, scene):
        account = make.account(scene.merged, phone="13800138000")
        tell(person_id=scene.merged.pk, kind="leader_appointed", dedupe_key="a", now=NOON)
        add_helper(group=scene.two, person=scene.merged, acting_person=None, now=NOON)
        merge(scene)
        account.refresh_from_db()
        assert (account.person, account.session_version) == (scene.kept, 2)
        assert inbox.unread_count(person_id=scene.kept.pk) == 1
        assert scene.two.helpers.get().person == scene.kept
        assert Person.objects.get(pk=scene.kept.pk).phone == "13800138000"
        assert Person.objects.get(pk=scene.merged.pk).phone == ""

    def test_of_two_accounts_the_kept_person_s_stays_and_the_other_phone_is_free(self, scene):
        stays, goes = make.account(scene.kept), make.account(scene.merged, phone="13800138000")
        merge(scene)
        goes.refresh_from_db()
        assert (goes.is_active, goes.phone) == (False, None)
        stays.refresh_from_db()
        assert stays.is_active
        assert not Account.objects.filter(phone="13800138000").exists()

    def test_a_leader_stays_one_with_their_groups(self, scene):
        merge_persons(kept=scene.kept, merged=scene.leader.person, acting_person=None, now=LATER)
        assert Leader.objects.get().person == scene.kept

    def test_a_code_stays_good_and_one_is_enough(self, scene):
        PickupCode.objects.create(
            listing_id=scene.in_one.pk, member_id=scene.kept_in_one.pk, code="11", created_at=NOON
        )
        PickupCode.objects.create(
            listing_id=scene.in_one.pk, member_id=scene.merged_in_one.pk, code="22", created_at=NOON
        )
        PickupCode.objects.create(
            listing_id=scene.in_two.pk, member_id=scene.merged_in_two.pk, code="33", created_at=NOON
        )
        merge(scene)
        assert dict(PickupCode.objects.values_list("code", "member_id")) == {
            "11": scene.kept_in_one.pk,
            "33": scene.merged_in_two.pk,
        }

    def test_merging_again_answers_with_the_log_and_changes_nothing(self, scene):
        give_balance(scene.merged, 1200)
        row = merge(scene)
        assert merge(scene) == row
        assert PersonMerge.objects.count() == 1
        assert (row.merged_by, row.merged_at) == (scene.leader.person, LATER)
        assert balance_of(scene.kept) == 1200

    def test_an_order_placed_meanwhile_and_money_that_came_meanwhile_follow(self, scene):
        give_balance(scene.merged, 1200)
        merge(scene)
        # What an order core that had read the member before the merge writes after it.
        Order.objects.filter(pk=scene.second.pk).update(person=scene.merged, member=scene.merged_in_one)
        PersonOfferQuantity.objects.create(offer=scene.offer, person=scene.merged, quantity=3)
        PersonOfferQuantity.objects.filter(person=scene.kept).update(quantity=6)
        give_balance(scene.merged, 30)
        assert run_due(now=LATER) == {}
        order = Order.objects.get(pk=scene.second.pk)
        assert (order.person, order.member) == (scene.kept, scene.kept_in_one)
        assert PersonOfferQuantity.objects.get().quantity == 9
        assert balance_of(scene.kept) == 1230
        assert broken_invariants() == []

    @pytest.mark.parametrize("case", ["same", "two leaders", "staff", "deleted", "merged before"])
    def test_what_cannot_be_one_is_refused_and_nothing_changes(self, scene, case):
        kept, merged = scene.kept, scene.merged
        if case == "same":
            merged = kept
        elif case == "two leaders":
            kept, merged = scene.leader.person, make.leader("李姐").person
        elif case == "staff":
            make.account(merged, is_staff=True, username="liu")
            grant_role(person=merged, role="operator", acting_person=None, now=NOON)
        elif case == "deleted":
            merged = make.person("赵六", deleted_at=NOON)
        else:
            merged = make.person("赵六", merged_into=scene.leader.person)
        with pytest.raises(MergeRefused):
            merge_persons(kept=kept, merged=merged, acting_person=None, now=LATER)
        assert not PersonMerge.objects.exists()
        assert Order.objects.filter(person=scene.merged).count() == 2


class TestForgetting:
    def forget(self, person):
        return delete_person(person=person, acting_person=person, reason="本人要求", now=LATER)

    def finish_orders(self, person):
        for order in Order.objects.filter(person=person):
            cancel_order(order=order, acting_person=person, now=NOON, reason="不要了")
        run_due(now=NOON)

    def test_texts_go_and_the_books_stay(self, scene):
        Order.objects.filter(pk=scene.second.pk).update(note="3-502 放门口")
        paste = ChainPaste.objects.create(
            listing=scene.in_one,
            text="2. 小张 3-502 橙子3",
            decisions={"小张": {"member": 1}},
            pasted_by=scene.leader.person,
            pasted_at=NOON,
            expires_at=NOON + timedelta(days=30),
        )
        ChainLink.objects.create(
            listing=scene.in_one, entry_key="2|小张|3-502", order=scene.second, fingerprint="x", paste=paste
        )
        self.finish_orders(scene.merged)
        self.forget(scene.merged)
        order = Order.objects.get(pk=scene.second.pk)
        assert (order.note, order.list_fen) == ("", scene.second.list_fen)
        assert "小张" not in ChainLink.objects.get().entry_key
        paste.refresh_from_db()
        assert (paste.text, paste.decisions) == ("", {})
        assert self.mentions("小张") == []
        assert broken_invariants() == []

    def mentions(self, words):
        """Tables of the whole station in which the words still stand somewhere."""
        found = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{words}%"])
                if cursor.fetchone()[0]:
                    found.append(table)
        return found

    def test_an_order_to_come_stands_in_the_way(self, scene):
        with pytest.raises(DeletionRefused, match="1"):
            self.forget(scene.kept)
        assert Person.objects.get(pk=scene.kept.pk).deleted_at is None

    def test_money_of_theirs_stands_in_the_way(self, scene):
        self.finish_orders(scene.kept)
        give_balance(scene.kept, 1)
        with pytest.raises(DeletionRefused, match=r"0\.01"):
            self.forget(scene.kept)

    def test_a_refund_on_its_way_stands_in_the_way(self, scene):
        leader_receives(
            order=scene.first,
            leader=scene.leader,
            channel="cash",
            amount_fen=scene.first.due_fen,
            key="cash-1",
            acting_person=scene.leader.person,
            now=NOON,
        )
        self.finish_orders(scene.kept)
        with pytest.raises(DeletionRefused):
            self.forget(scene.kept)

    def test_money_that_a_leader_holds_stands_in_the_way(self, scene):
        leader = make.leader("李姐")
        cash = AccountRef(AccountKind.CHANNEL_CASH, "gateway:bank")
        held = AccountRef(AccountKind.LEADER_HELD, f"leader:{leader.pk}")
        post_entry(key="x", kind="x", reference="x:1", occurred_at=NOON, moves=[Move(held, cash, 900)])
        with pytest.raises(DeletionRefused, match=r"9\.00"):
            self.forget(leader.person)
