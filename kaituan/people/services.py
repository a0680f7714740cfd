"""Everything that changes what we know of people. The work is in the modules named here, one per subject."""

from kaituan.people.groups import (
    add_helper,
    archive_group,
    assign_keeper,
    close_pickup_point,
    create_group,
    create_pickup_point,
    end_helper,
    end_keeper,
    update_group,
)
from kaituan.people.leaders import appoint_leader, set_tier
from kaituan.people.merging import Move, Mover, merge_persons, move_stragglers
from kaituan.people.payees import (
    check_payee_account,
    refuse_payee_account,
    set_payee_account,
    view_payee_account,
)
from kaituan.people.persons import (
    account_for_phone,
    add_member,
    ensure_station,
    join_group,
    leave_group,
    link_account,
    record_event,
    register_person,
    rename_member,
    sign_out_everywhere,
)
from kaituan.people.privacy import delete_person, log_access, log_export, view_personal_data
from kaituan.people.refusals import PeopleRefused
from kaituan.people.staff import create_staff_account, end_role, grant_role, reset_second_factor, set_password

__all__ = [
    "Move",
    "Mover",
    "PeopleRefused",
    "account_for_phone",
    "add_helper",
    "add_member",
    "appoint_leader",
    "archive_group",
    "assign_keeper",
    "check_payee_account",
    "close_pickup_point",
    "create_group",
    "create_pickup_point",
    "create_staff_account",
    "delete_person",
    "end_helper",
    "end_keeper",
    "end_role",
    "ensure_station",
    "grant_role",
    "join_group",
    "leave_group",
    "link_account",
    "log_access",
    "log_export",
    "merge_persons",
    "move_stragglers",
    "record_event",
    "refuse_payee_account",
    "register_person",
    "rename_member",
    "reset_second_factor",
    "set_password",
    "set_payee_account",
    "set_tier",
    "sign_out_everywhere",
    "update_group",
    "view_payee_account",
    "view_personal_data",
]
