"""A person's inbox in words, for the pages that show it."""

from dataclasses import dataclass
from datetime import datetime

from kaituan.notices import queries
from kaituan.notices.wording import named_ids, words
from kaituan.people.models import Person
from kaituan.reporting.names import names_of


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """A notice in the language in force. chat: text to copy into the group's chat, empty for most."""

    id: int
    kind: str
    title: str
    body: str
    chat: str
    link: str
    created_at: datetime
    is_unread: bool


def inbox(*, person: Person, limit: int = 50, before_id: int | None = None) -> list[ShownNotice]:
    """A person's notices, newest first; before_id: the last one of the page before."""
    notices = queries.inbox(person_id=person.pk, limit=limit, before_id=before_id)
    names = names_of(named_ids(notice.data for notice in notices))
    shown = []
    for notice in notices:
        text = words(kind=notice.kind, data=notice.data, names=names)
        shown.append(
            ShownNotice(
                id=notice.pk,
                kind=notice.kind,
                title=text.title,
                body=text.body,
                chat=text.chat,
                link=notice.link,
                created_at=notice.created_at,
                is_unread=notice.read_at is None,
            )
        )
    return shown
