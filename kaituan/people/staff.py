"""Who works for the operator, in which role, and how they sign in."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.people.groups import holds_at
from kaituan.people.models import Account, Person, StaffRole
from kaituan.people.persons import record_event, register_person, revoke_passes
from kaituan.people.refusals import PeopleRefused, RoleRefused


@transaction.atomic
def create_staff_account(
    *, name: str, username: str, password: str, acting_person: Person | None, now: datetime
) -> Account:
    """A person who signs in to the console with a user name and a password; roles come with `grant_role`.

    Raises PeopleRefused for a user name that is taken or a password that is too weak.
    """
    username = Account.normalize_username(username.strip())
    if not username or len(username) > 60 or " " in username:
        raise PeopleRefused(_("A user name has 1 to 60 characters and no blanks."))
    if Account.objects.filter(username__iexact=username).exists():
        raise PeopleRefused(_("This user name is taken."))
    _check_password(password)
    person = register_person(name=name, now=now)
    account = Account.objects.create_user(person=person, username=username, password=password, is_staff=True)
    record_event(person=person, kind="staff_account_opened", acting_person=acting_person, now=now)
    return account


@transaction.atomic
def set_password(*, account: Account, password: str, acting_person: Person | None, now: datetime) -> None:
    """A new password; every other session and pass of the account ends. Raises PeopleRefused."""
    _check_password(password)
    account = Account.objects.select_for_update().get(pk=account.pk)
    account.set_password(password)
    account.session_version += 1
    account.save(update_fields=["password", "session_version"])
    revoke_passes(account=account)
    record_event(person=account.person, kind="password_set", acting_person=acting_person, now=now)


@transaction.atomic
def grant_role(*, person: Person, role: str, acting_person: Person | None, now: datetime) -> StaffRole:
    """Give a person a staff role from now on; one who holds it already goes on holding it.

    Raises RoleRefused for a role that does not exist, or a person without a staff account.
    """
    if role not in StaffRole.Role.values:
        raise RoleRefused(_("There is no such role."))
    person = Person.objects.select_for_update().get(pk=person.pk)
    if not Account.objects.filter(person=person, is_staff=True, is_active=True).exists():
        raise RoleRefused(_("Open a staff account for this person first."))
    standing = person.staff_roles.filter(holds_at(now), role=role).first()
    if standing is not None:
        return standing
    record_event(
        person=person, kind="role_granted", acting_person=acting_person, now=now, details={"role": role}
    )
    return StaffRole.objects.create(person=person, role=role, effective_from=now)


@transaction.atomic
def end_role(*, person: Person, role: str, acting_person: Person | None, now: datetime) -> None:
    """The person holds the role no longer; ending twice changes nothing.

    Raises RoleRefused for the last administrator: nobody could grant roles any more.
    """
    # All of one role are locked together, so that the last two administrators cannot end each other.
    standing = list(StaffRole.objects.select_for_update().filter(holds_at(now), role=role).order_by("pk"))
    ending = [row.pk for row in standing if row.person_id == person.pk]
    if not ending:
        return
    if role == StaffRole.Role.ADMIN and len({row.person_id for row in standing}) == 1:
        raise RoleRefused(_("The last administrator cannot be taken away: appoint another one first."))
    for row in standing:
        if row.pk in ending and row.effective_from == now:
            row.delete()  # Granted this very moment: a role that never held leaves only its log.
    StaffRole.objects.filter(pk__in=ending).update(effective_until=now)
    record_event(
        person=person, kind="role_ended", acting_person=acting_person, now=now, details={"role": role}
    )


def _check_password(password: str) -> None:
    try:
        validate_password(password)
    except ValidationError as error:
        raise PeopleRefused(" ".join(error.messages)) from error


@transaction.atomic
def reset_second_factor(
    *, account: Account, acting_person: Person | None, reason: str, now: datetime
) -> None:
    """Forget the authenticator app and recovery codes of an account, whose phone is lost: the next sign-in
    sets up new ones. Its sessions end. Raises PeopleRefused without a reason."""
    if not reason.strip():
        raise PeopleRefused(_("Please say why the second factor is reset."))
    account = Account.objects.select_for_update().get(pk=account.pk)
    Authenticator.objects.filter(user=account).delete()
    account.session_version += 1
    account.save(update_fields=["session_version"])
    revoke_passes(account=account)
    record_event(
        person=account.person,
        kind="second_factor_reset",
        acting_person=acting_person,
        reason=reason.strip(),
        now=now,
    )
