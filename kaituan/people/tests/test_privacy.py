"""Who looks at personal data leaves a trace; who asks to be forgotten is, and the books stay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from kaituan.people.models import Account, Member, Person, PersonalDataAccess
from kaituan.people.privacy import DELETED_NAME
from kaituan.people.refusals import DeletionRefused, PeopleRefused
from kaituan.people.services import archive_group, delete_person, grant_role, log_export, view_personal_data
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def forget(person, *, blockers=(), erasers=()):
    return delete_person(
        person=person, acting_person=person, reason="本人要求", now=NOON, blockers=blockers, erasers=erasers
    )


def test_a_full_view_is_logged_with_who_what_whom_and_why():
    viewer, person = make.person("王姐"), make.person("张敏", phone="13800138000")
    make.member(make.group(name="一群"), "张敏", of=person, room="3-502")
    [seen] = view_personal_data(
        persons=[person],
        acting_person=viewer,
        action="view_phone",
        subject=f"person:{person.pk}",
        reason="送货",
        now=NOON,
    )
    assert (seen.name, seen.phone, seen.rooms) == ("张敏", "13800138000", {"一群": "3-502"})
    log = PersonalDataAccess.objects.get()
    assert (log.actor, log.action, log.subject, log.row_count) == (
        viewer,
        "view_phone",
        f"person:{person.pk}",
        1,
    )
    assert (log.reason, log.accessed_at) == ("送货", NOON)


def test_a_list_is_one_log_row_and_few_queries(django_assert_num_queries):
    group = make.group()
    persons = [make.member(group, f"张{i}", room=f"{i}01").person for i in range(30)]
    with django_assert_num_queries(4):  # members with groups, the log row, savepoint and release
        view_personal_data(
            persons=persons,
            acting_person=group.owner.person,
            action="view_pickup_list",
            subject="listing:1",
            now=NOON,
        )
    assert PersonalDataAccess.objects.get().row_count == 30


def test_an_export_is_logged():
    log_export(acting_person=make.person(), what="pickup_list", subject="listing:1", row_count=80, now=NOON)
    assert PersonalDataAccess.objects.get().action == "export_pickup_list"
    with pytest.raises(PeopleRefused):
        log_export(acting_person=None, what="x" * 40, subject="listing:1", row_count=1, now=NOON)


def test_deleting_takes_names_phones_rooms_account_and_sessions():
    person = make.person("张敏", phone="13800138000")
    member = make.member(make.group(), "3-502张敏", of=person, room="3-502")
    account = make.account(person)
    browser = Client()
    browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    assert Session.objects.count() == 1
    forget(person)
    person.refresh_from_db()
    member.refresh_from_db()
    assert (person.name, person.phone, person.deleted_at) == (DELETED_NAME, "", NOON)
    assert (member.display_name, member.room, member.left_at) == (DELETED_NAME, "", NOON)
    assert not Account.objects.filter(pk=account.pk).exists()
    event = person.events.get(kind="deleted")
    assert "张敏" not in str(event.details)


def test_deleting_twice_changes_nothing():
    person = make.person("张敏")
    forget(person)
    again = delete_person(
        person=person, acting_person=None, reason="", now=NOON + timedelta(days=1), blockers=(), erasers=()
    )
    assert again.deleted_at == NOON
    assert person.events.count() == 1


def test_what_is_still_open_stands_in_the_way_and_nothing_changes():
    person = make.person("张敏", phone="13800138000")
    with pytest.raises(DeletionRefused, match="一个订单还没取"):
        forget(person, blockers=[lambda p: None, lambda p: "一个订单还没取"])
    person.refresh_from_db()
    assert (person.name, person.deleted_at) == ("张敏", None)


def test_texts_in_other_folders_are_erased_in_the_same_transaction():
    person = make.person("张敏")
    forget(person, erasers=[lambda p: 3, lambda p: 4])
    assert person.events.get().details == {"texts_erased": 7}


def test_staff_and_leaders_with_groups_end_their_roles_first():
    leader = make.leader("王姐")
    group = make.group(leader)
    with pytest.raises(DeletionRefused, match=r"groups|群"):
        forget(leader.person)
    archive_group(group=group, acting_person=None, now=NOON)
    forget(leader.person)
    forget(make.leader("没有群的团长").person)
    staff = make.account(make.person("刘"), username="liu", is_staff=True)
    grant_role(person=staff.person, role="operator", acting_person=None, now=NOON)
    with pytest.raises(DeletionRefused):
        forget(staff.person)
    assert Member.objects.count() == 0
    assert Person.objects.get(pk=staff.person_id).deleted_at is None
