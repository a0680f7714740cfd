"""A settled member as an order with its questions."""

from typing import TYPE_CHECKING

from .members import Member, Said
from .model import Contact, LineRead, OrderRead, Question
from .normalise import squash

if TYPE_CHECKING:
    from .resolve import Resolver


def worth(resolver: "Resolver", member: Member) -> bool:
    """Chatter of somebody who never ordered is no order."""
    if all(s.raw.chat for s in member.said):
        return bool(member.held or member.questions or (member.cancelled and len(member.said) > 1))
    return True


def present(resolver: "Resolver", member: Member, number: int) -> tuple[OrderRead, list[Question]]:
    name, seq = (
        name_of(resolver, member),
        next((s.seq for s in member.said if s.seq is not None), member.first.seq),
    )
    seq = member.first.seq
    contact = contact_of(resolver, member)
    key = f"{squash(name) or contact.room or number}|{squash(contact.room)}|{contact.phone}"
    nobody = (
        not name and not contact.room and not contact.phone and not contact.phone_tail and not contact.address
    )
    questions = [
        Question(seq, name, reason, choices, evidence, key) for reason, choices, evidence in member.questions
    ]
    if nobody and not questions:
        whole = resolver.evidence(member.first, 0, len(member.first.statement.text))
        questions.append(Question(seq, name, "unclear", (), (whole,), key))
    mismatch = any(q.reason == "amount_mismatch" for q in questions)
    lines = tuple(
        LineRead(resolver.catalogue.products[p].code, h.qty, tuple(h.evidence))
        for p, h in sorted(member.held.items(), key=lambda pair: pair[1].evidence[0].start)
    )
    cancelled = member.cancelled and not lines
    paid = (
        any(s.statement.paid for s in member.said) and not mismatch and not member.said[-1].statement.unpaid
    )
    order = OrderRead(
        seq, name, contact, lines, note_of(resolver, member), paid, cancelled, key,
        tuple(resolver.evidence(s, 0, len(s.statement.text)) for s in member.said),
    )  # fmt: skip
    return order, questions


def name_of(resolver: "Resolver", member: Member) -> str:
    return next((s.name for s in member.said if s.name), "")


def contact_of(resolver: "Resolver", member: Member) -> Contact:
    room = phone = tail = address = ""
    for entry in member.said:
        head = entry.statement.head
        room = room or entry.room
        phone = phone or head.phone
        tail = tail or head.tail
        address = address or written(resolver, entry, head.address)
    return Contact(room, phone, tail, address)


def written(resolver: "Resolver", entry: Said, span: tuple[int, int]) -> str:
    if span[1] <= span[0]:
        return ""
    return resolver.source.written(entry.raw.at(span[0]), entry.raw.at(span[1] - 1) + 1)


def note_of(resolver: "Resolver", member: Member) -> str:
    parts: list[str] = []
    for entry in member.said:
        for start, end in sorted(set(entry.statement.notes)):
            words = written(resolver, entry, (start, min(end, len(entry.statement.text)))).strip(
                " ,，、;；。()（）:："
            )
            if words and words not in parts:
                parts.append(words)
    return "；".join(parts)
