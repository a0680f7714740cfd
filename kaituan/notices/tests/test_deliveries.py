"""A notice goes out once by every sender that wants it; a sender that is away is tried again, not for ever."""

import io
from datetime import timedelta

import pytest

from kaituan.notices import queries, senders
from kaituan.notices.deliveries import LEASE, MAX_ATTEMPTS, send_due
from kaituan.notices.models import Delivery
from kaituan.notices.senders import Address, ConsoleSender, SendFailed
from kaituan.notices.services import tell
from tests.factories import NOON

pytestmark = pytest.mark.django_db
NAMES = {("campaign", 3): "周五水果团"}


class Post:
    """A sender that keeps what it sends, and can be away."""

    code = "post"

    def __init__(self):
        self.sent = []
        self.away = False

    def wants(self, kind):
        return kind != "tier_changed"

    def send(self, *, to, title, body, key):
        if self.away:
            raise SendFailed("away")
        self.sent.append((to.phone, title, key))


@pytest.fixture
def post(monkeypatch):
    post = Post()
    monkeypatch.setattr("kaituan.notices.services.outside_senders", lambda: (post,))
    return post


def call_off(person_id=7, kind="campaign_cancelled", data=None):
    tell(
        person_id=person_id,
        kind=kind,
        data=data or {"campaign_id": 3},
        dedupe_key=f"{kind}:{person_id}",
        now=NOON,
    )


def send(post, now=NOON, book=None):
    book = {7: Address(phone="13800138000", language="en")} if book is None else book
    return send_due(
        senders=[post],
        addresses=lambda ids: {i: book[i] for i in ids if i in book},
        names=lambda ids: NAMES,
        now=now,
    )


def test_a_notice_goes_out_once_in_the_reader_s_language(post):
    call_off()
    assert send(post) == 1
    assert send(post, now=NOON + timedelta(days=1)) == 0
    [(phone, title, key)] = post.sent
    assert (phone, title) == ("13800138000", "Called off: 周五水果团")
    [notice] = queries.inbox(person_id=7)
    assert key == f"notice:{notice.pk}"
    assert notice.deliveries.get().sent_at == NOON


def test_a_sender_says_which_kinds_it_wants(post):
    call_off(kind="tier_changed", data={"tier": "host", "effective_at": NOON})
    assert not Delivery.objects.exists()


def test_a_sender_that_is_away_is_tried_again_later_and_then_given_up(post):
    call_off()
    post.away = True
    now = NOON
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert send(post, now=now) == 0
        delivery = Delivery.objects.get()
        assert delivery.attempts == attempt
        if attempt < MAX_ATTEMPTS:
            assert send(post, now=delivery.next_attempt_at - timedelta(seconds=1)) == 0
            assert Delivery.objects.get().attempts == attempt
            now = delivery.next_attempt_at
    assert [(d.status, d.last_error) for d in queries.failed_deliveries()] == [("failed", "away")]
    post.away = False
    assert send(post, now=NOON + timedelta(days=1)) == 0


def test_one_that_comes_back_is_sent_once(post):
    call_off()
    post.away = True
    send(post)
    post.away = False
    assert send(post, now=NOON + timedelta(seconds=5)) == 1
    assert len(post.sent) == 1
    assert Delivery.objects.get().last_error == ""


def test_a_worker_that_dies_holds_a_delivery_for_the_length_of_its_lease_only(post):
    call_off()

    def die(**_):
        raise KeyboardInterrupt

    alive, post.send = post.send, die
    with pytest.raises(KeyboardInterrupt):
        send(post)
    post.send = alive
    assert send(post, now=NOON + LEASE - timedelta(seconds=1)) == 0
    assert send(post, now=NOON + LEASE) == 1


def test_nobody_to_reach_is_no_endless_trying(post):
    call_off()
    assert send(post, book={}) == 0
    assert Delivery.objects.get().last_error == "nobody to reach"


def test_the_console_sender_prints_one_line():
    stream = io.StringIO()
    ConsoleSender(stream).send(to=Address(phone="138"), title="Hello", body="World", key="notice:1")
    assert stream.getvalue() == "[notice:1] 138: Hello | World\n"


def test_senders_are_loaded_from_the_setting(settings):
    settings.KAITUAN_SENDERS = ["kaituan.notices.senders.ConsoleSender"]
    senders.outside_senders.cache_clear()
    try:
        assert [sender.code for sender in senders.outside_senders()] == ["console"]
    finally:
        senders.outside_senders.cache_clear()
