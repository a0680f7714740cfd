"""Where leaders are paid to: entered by themselves, checked by somebody else, shown by its last digits.

The whole number leaves this folder in one way, which is logged: `view_payee_account`.
"""

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.notices.services import announce
from kaituan.people.identity import clean_name, clean_phone
from kaituan.people.masking import mask_account_number
from kaituan.people.models import Leader, PayeeAccount, Person
from kaituan.people.persons import record_event
from kaituan.people.privacy import log_access
from kaituan.people.refusals import BankMissing, CheckDigitDoubted, InvalidPhone, PayeeRefused

Kind = PayeeAccount.Kind
CARD = re.compile(r"[0-9]{12,19}")
WECHAT_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}")
CHECKED_DIGITS = 16
"""Cards have this many digits or more, the last of them to find slips by; a passbook's number is shorter."""


@transaction.atomic
def set_payee_account(
    *,
    leader: Leader,
    kind: str,
    holder_name: str,
    account_number: str,
    bank_name: str = "",
    number_is_right: bool = False,
    acting_person: Person,
    now: datetime,
) -> PayeeAccount:
    """The account that a leader is paid to from now on; the same one again answers with the row that is, unless that
    was refused. The leader is told, in case it was somebody else.

    Withdrawals that were asked for keep the account they named. number_is_right: the leader has looked at the digits
    of a card once more. Raises PayeeRefused, CheckDigitDoubted, or InvalidName for the holder.
    """
    said = {
        "kind": kind,
        "holder_name": clean_name(holder_name),
        "account_number": clean_account_number(kind, account_number),
        "bank_name": _bank(bank_name) if kind == Kind.CARD else "",
    }
    if kind == Kind.CARD and not number_is_right and check_digit_is_wrong(said["account_number"]):
        raise CheckDigitDoubted(
            _(
                "This card number does not add up: please look at it digit by digit, and say so if it is right."
            )
        )
    # One change of a leader's account after the other: the latest row is the one that holds.
    Leader.objects.select_for_update(no_key=True).get(pk=leader.pk)
    standing = current_payee(leader=leader)
    same = standing is not None and all(getattr(standing, name) == value for name, value in said.items())
    if standing is not None and same and standing.refused_at is None:
        return standing
    row = PayeeAccount.objects.create(leader=leader, set_by=acting_person, set_at=now, **said)
    record_event(
        person=leader.person,
        kind="payee_account_set",
        acting_person=acting_person,
        now=now,
        details={"payee_account": row.pk, "kind": row.kind},
    )
    announce(topic="payee_account_set", subject=f"payee_account:{row.pk}", now=now)
    return row


@transaction.atomic
def check_payee_account(*, payee: PayeeAccount, acting_person: Person, now: datetime) -> PayeeAccount:
    """Somebody else has looked that the account is the leader's: it may be paid to. Checking twice is once.

    Raises PayeeRefused.
    """
    row = _locked(payee, acting_person)
    if row.refused_at is not None:
        raise PayeeRefused(_("This account was not accepted: the leader has to enter it again."))
    if row.checked_at is None:
        row.checked_by, row.checked_at = acting_person, now
        row.save(update_fields=["checked_by", "checked_at"])
        announce(topic="payee_account_checked", subject=f"payee_account:{row.pk}", now=now)
    return row


@transaction.atomic
def refuse_payee_account(
    *, payee: PayeeAccount, reason: str, acting_person: Person, now: datetime
) -> PayeeAccount:
    """Somebody else has found that the account cannot be paid to; the leader reads why. Refusing twice is once.

    Raises PayeeRefused.
    """
    row = _locked(payee, acting_person)
    if row.refused_at is not None:
        return row
    if row.checked_at is not None:
        raise PayeeRefused(_("This account was checked already, and may be paid to."))
    if not reason.strip():
        raise PayeeRefused(_("Say why: the leader will read it."))
    row.refused_by, row.refused_at, row.refusal = acting_person, now, reason.strip()[:200]
    row.save(update_fields=["refused_by", "refused_at", "refusal"])
    announce(topic="payee_account_refused", subject=f"payee_account:{row.pk}", now=now)
    return row


def _locked(payee: PayeeAccount, acting_person: Person) -> PayeeAccount:
    """The account, to be decided on by somebody else than its leader."""
    row = PayeeAccount.objects.select_for_update(of=("self",)).select_related("leader").get(pk=payee.pk)
    if acting_person.pk in (row.set_by_id, row.leader.person_id):
        raise PayeeRefused(_("Somebody else must check the account that you are paid to."))
    if not row.account_number:
        raise PayeeRefused(_("This account was deleted with the person: there is nothing to check."))
    return row


@transaction.atomic
def view_payee_account(
    *, payee: PayeeAccount, acting_person: Person, reason: str, now: datetime
) -> PayeeAccount:
    """The account to be shown in full, and a log row that says who saw it. Raises PayeeRefused without a reason."""
    if not reason.strip():
        raise PayeeRefused(_("Say what for: who looks at an account is written down."))
    log_access(
        acting_person=acting_person,
        action="view_payee_account",
        subject=f"payee_account:{payee.pk}",
        row_count=1,
        reason=reason.strip(),
        now=now,
    )
    return payee


def current_payee(*, leader: Leader) -> PayeeAccount | None:
    """The account entered last, which the next withdrawal is paid to unless it was refused; None while none was
    entered, or after it was forgotten."""
    row = PayeeAccount.objects.filter(leader=leader).order_by("-pk").first()
    return row if row is not None and row.account_number else None


def shared_with(payees: Collection[PayeeAccount]) -> dict[int, list[str]]:
    """Payee account id -> names of the other leaders who are or were paid to the same number."""
    numbers = {row.account_number for row in payees if row.account_number}
    users: dict[str, dict[int, str]] = {}
    rows = PayeeAccount.objects.filter(account_number__in=numbers).select_related("leader__person")
    for row in rows.order_by("pk"):
        users.setdefault(row.account_number, {})[row.leader_id] = row.leader.person.name
    return {
        row.pk: names
        for row in payees
        if (names := [n for pk, n in users.get(row.account_number, {}).items() if pk != row.leader_id])
    }


def payee_words(payee: PayeeAccount) -> str:
    """One account told from another, without its number: `ICBC, ending in 1234`."""
    if not payee.account_number:
        return _("account deleted")
    means = {Kind.ALIPAY: _("Alipay"), Kind.WECHAT: _("WeChat")}.get(Kind(payee.kind), payee.bank_name)
    shown = mask_account_number(payee.account_number)
    if "@" in shown:
        return f"{means} {shown}"
    return _("%(means)s, ending in %(digits)s") % {"means": means, "digits": shown}


def clean_account_number(kind: str, text: str) -> str:
    """The number as it is kept: full-width characters made plain, blanks (of a card: dashes too) taken out.

    Raises PayeeRefused.
    """
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    if kind == Kind.CARD:
        number = number.replace("-", "")
        if not CARD.fullmatch(number):
            raise PayeeRefused(_("A card number has 12 to 19 digits and nothing else."))
        return number
    if kind == Kind.ALIPAY:
        return _phone(number) or _email(number)
    if kind == Kind.WECHAT:
        return _phone(number) or _wechat_id(number)
    raise PayeeRefused(_("Choose how you are paid: bank card, Alipay or WeChat."))


def check_digit_is_wrong(number: str) -> bool:
    """Whether the last digit of a card does not follow from the others (Luhn, ISO/IEC 7812).

    It is asked about and not refused: a few banks issued numbers that do not follow it, and their holders would
    have no way to their money.
    """
    if len(number) < CHECKED_DIGITS or not CARD.fullmatch(number):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 != 0


def _phone(number: str) -> str:
    try:
        return clean_phone(number)
    except InvalidPhone:
        return ""


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise PayeeRefused(_("An Alipay account is a mobile number or an e-mail address.")) from None
    if len(text) > 100:
        raise PayeeRefused(_("An Alipay account is a mobile number or an e-mail address."))
    return text


def _wechat_id(text: str) -> str:
    if not WECHAT_ID.fullmatch(text):
        raise PayeeRefused(
            _("For WeChat give the mobile number or the WeChat ID: 6 to 20 letters and digits.")
        )
    return text


def _bank(text: str) -> str:
    if not text.strip():
        raise BankMissing(_("Which bank is the card of?"))
    return clean_name(text)
