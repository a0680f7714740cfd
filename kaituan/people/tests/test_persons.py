"""A person is not an account: known by name first, signing in later, linked without guessing."""

import threading

import pytest
from django.db import connection, transaction

from kaituan.people import queries
from kaituan.people.models import Account, Member, Person, PersonEvent
from kaituan.people.refusals import (
    AlreadyLinked,
    GroupArchived,
    InvalidName,
    InvalidPhone,
    PhoneTaken,
)
from kaituan.people.services import (
    account_for_phone,
    add_member,
    archive_group,
    join_group,
    leave_group,
    link_account,
    register_person,
    rename_member,
    sign_out_everywhere,
)
from tests import factories as make
from tests.factories import NOON

PHONE = "13800138000"


@pytest.mark.django_db
class TestMembers:
    def test_a_leader_adds_somebody_without_a_phone(self):
        group = make.group()
        member = add_member(
            group=group, name="赵大爷", room="3-502", now=NOON, acting_person=group.owner.person
        )
        assert (member.display_name, member.room, member.person.phone) == ("赵大爷", "3-502", "")
        assert not Account.objects.filter(person=member.person).exists()
        assert PersonEvent.objects.get(person=member.person).actor == group.owner.person

    def test_a_phone_known_in_this_group_is_that_member(self):
        group = make.group()
        first = add_member(group=group, name="赵大爷", phone=PHONE, now=NOON, acting_person=None)
        again = add_member(group=group, name="老赵", phone="138 0013 8000", now=NOON, acting_person=None)
        assert again == first

    def test_nobody_is_looked_up_in_other_groups(self):
        elsewhere = add_member(group=make.group(), name="赵大爷", phone=PHONE, now=NOON, acting_person=None)
        here = add_member(group=make.group(), name="赵大爷", phone=PHONE, now=NOON, acting_person=None)
        assert here.person != elsewhere.person

    def test_joining_twice_is_joining_once_and_one_who_left_comes_back(self):
        group, person = make.group(), make.person("张敏")
        member = join_group(group=group, person=person, now=NOON)
        assert join_group(group=group, person=person, now=NOON) == member
        leave_group(member=member, now=NOON)
        assert list(queries.group_members(group_id=group.pk)) == []
        assert join_group(group=group, person=person, now=NOON).left_at is None
        assert list(queries.group_members(group_id=group.pk, search="张")) == [member]

    def test_an_archived_group_takes_nobody(self):
        group = make.group()
        archive_group(group=group, acting_person=None, now=NOON)
        with pytest.raises(GroupArchived):
            add_member(group=group, name="赵大爷", now=NOON, acting_person=None)
        assert not Member.objects.exists()
        assert not Person.objects.filter(name="赵大爷").exists()

    @pytest.mark.parametrize(
        ("name", "phone", "refusal"), [(" ", "", InvalidName), ("赵大爷", "12345", InvalidPhone)]
    )
    def test_bad_input_changes_nothing(self, name, phone, refusal):
        group = make.group()
        before = Person.objects.count()
        with pytest.raises(refusal):
            add_member(group=group, name=name, phone=phone, now=NOON, acting_person=None)
        assert Person.objects.count() == before

    def test_a_member_is_renamed_in_the_group_only(self):
        member = make.member(make.group(), "张敏")
        rename_member(member=member, display_name="3-502 张敏", room=" 3-502 ", acting_person=None)
        member.refresh_from_db()
        assert (member.display_name, member.room, member.person.name) == ("3-502 张敏", "3-502", "张敏")


@pytest.mark.django_db
class TestAccounts:
    def test_a_proven_phone_opens_an_account_once(self):
        account = account_for_phone(phone="+86 13800138000", name="张敏", now=NOON)
        assert (account.phone, account.phone_verified, account.person.name) == (PHONE, True, "张敏")
        assert account_for_phone(phone=PHONE, now=NOON) == account
        assert [event.kind for event in account.person.events.all()] == ["account_opened"]

    def test_the_one_person_known_by_the_phone_becomes_its_owner(self):
        member = add_member(group=make.group(), name="赵大爷", phone=PHONE, now=NOON, acting_person=None)
        account = account_for_phone(phone=PHONE, now=NOON)
        assert account.person == member.person
        assert account.person.events.filter(kind="account_linked").exists()

    def test_a_family_behind_one_number_is_not_guessed(self):
        for name in ("赵大爷", "赵小妹"):
            add_member(group=make.group(), name=name, phone=PHONE, now=NOON, acting_person=None)
        account = account_for_phone(phone=PHONE, now=NOON)
        assert account.person.name not in ("赵大爷", "赵小妹")
        assert len(queries.possible_twins(person=account.person)) == 2

    def test_linking_is_logged_and_refused_where_it_would_overwrite(self):
        person, other = make.person("赵大爷"), make.person("李姐")
        account = link_account(person=person, phone=PHONE, acting_person=other, reason="本人要求", now=NOON)
        assert not account.phone_verified
        event = PersonEvent.objects.get(person=person, kind="account_linked")
        assert (event.actor, event.reason) == (other, "本人要求")
        with pytest.raises(AlreadyLinked):
            link_account(person=person, phone="13900139000", acting_person=None, reason="", now=NOON)
        with pytest.raises(PhoneTaken):
            link_account(person=other, phone=PHONE, acting_person=None, reason="", now=NOON)

    def test_signing_out_everywhere_ends_every_earlier_session(self):
        account = account_for_phone(phone=PHONE, now=NOON)
        before = account.get_session_auth_hash()
        account = sign_out_everywhere(account=account, acting_person=account.person, now=NOON)
        assert account.session_version == 2
        assert account.get_session_auth_hash() != before

    def test_only_proven_phones_are_addresses(self):
        proven = account_for_phone(phone=PHONE, now=NOON)
        said = make.account(make.person("李姐"))
        addresses = queries.addresses([proven.person_id, said.person_id, 999_999])
        assert addresses[proven.person_id].phone == PHONE
        assert addresses[said.person_id].phone == ""
        assert 999_999 not in addresses


@pytest.mark.django_db(transaction=True)
def test_two_tabs_with_one_phone_open_one_account():
    answers = []

    def sign_in():
        try:
            answers.append(account_for_phone(phone=PHONE, now=NOON).pk)
        finally:
            connection.close()

    tabs = [threading.Thread(target=sign_in) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(set(answers)) == 1
    assert Account.objects.count() == 1
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_signing_out_notifies_who_checks_passes():
    account = make.account()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN kaituan_pass_revoked")
    sign_out_everywhere(account=account, acting_person=None, now=NOON)
    heard = [n.payload for n in connection.connection.notifies(timeout=2, stop_after=1)]
    assert heard == [f"station:{account.pk}:2"]


@pytest.mark.django_db
def test_registering_is_all_or_nothing():
    with pytest.raises(InvalidPhone), transaction.atomic():
        register_person(name="张敏", phone="1", now=NOON)
    assert not Person.objects.exists()
