"""Phones and names as people type them. Pure."""

import re
import unicodedata

from django.utils.translation import gettext as _

from kaituan.people.refusals import InvalidName, InvalidPhone

MOBILE = re.compile(r"1[3-9]\d{9}")
NAME_LENGTH = 60
ROOM_LENGTH = 60


def clean_phone(text: str) -> str:
    """The 11 digits of a mainland mobile number; +86, spaces, dashes and full-width digits are forgiven.

    >>> clean_phone("+86 138-0013-8000")
    '13800138000'

    Raises InvalidPhone.
    """
    digits = re.sub(r"[\s\-().]", "", unicodedata.normalize("NFKC", text))
    digits = re.sub(r"^(\+|00)?86(?=1\d{10}$)", "", digits)
    if not MOBILE.fullmatch(digits):
        raise InvalidPhone(_("That is not a mobile number: it has 11 digits and starts with 1."))
    return digits


def clean_name(text: str, *, length: int = NAME_LENGTH) -> str:
    """A name on one line, without control characters and outer blanks. Raises InvalidName."""
    name = " ".join(
        "".join(c if unicodedata.category(c)[0] != "C" or c == "\u200d" else " " for c in text).split()
    )
    if not name:
        raise InvalidName(_("Please give a name."))
    if len(name) > length:
        raise InvalidName(_("The name is too long: at most %(count)s characters.") % {"count": length})
    return name
