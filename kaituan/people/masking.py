"""What others may see of a person: enough to recognise, not enough to find. Pure."""

import re
import unicodedata

HIDDEN = "*"
# A building, floor or room as people write it into their chat name: 3号楼, A座, 2-502, 12栋1单元, 602室.
_ROOM = re.compile(
    r"(?:[A-Za-z]|[0-9０-９]+[A-Za-z]?|[一二三四五六七八九十]+)\s*(?:号楼|号院|单元|栋|幢|座|楼|层|室|户|号)"
    r"|[A-Za-z]?[0-9０-９]+[A-Za-z]?"
)


def mask_phone(phone: str) -> str:
    """`13812340000` -> `138****0000`; anything shorter than a number shows nothing but stars."""
    if len(phone) < 11:
        return HIDDEN * 4 if phone else ""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_name(name: str) -> str:
    """The first letter and a star or two: `张敏` -> `张*`, `欧阳小燕` -> `欧**`.

    What looks like a building or room is left out first, for people write it into their chat names:
    `3-502李姐` -> `李*`. A name of nothing else becomes a star.
    """
    letters = [c for c in _ROOM.sub(" ", name) if unicodedata.category(c)[0] == "L"]
    if not letters:
        return HIDDEN
    return letters[0] + HIDDEN * min(2, max(1, len(letters) - 1))


def mask_address(address: str) -> str:
    """The place without the door: all before the first number, then stars: `翠成馨园3号楼502` -> `翠成馨园***`."""
    open_part = re.split(r"[0-9０-９]|[A-Za-z]座", address, maxsplit=1)[0].rstrip(" -，,")
    if open_part == address:
        open_part = address[: len(address) // 2]
    return f"{open_part}***" if address else ""


def mask_room(room: str) -> str:
    """That there is one, and no more."""
    return HIDDEN * 3 if room else ""


def mask_account_number(number: str) -> str:
    """How a payee account is told from another: `6222020000001234` -> `1234`, `zhang@example.com` ->
    `z***@example.com`; of what is shorter than eight characters the last two only."""
    name, at, place = number.partition("@")
    if at:
        return f"{name[:1]}***@{place}"
    return number[-4:] if len(number) >= 8 else number[-2:]
