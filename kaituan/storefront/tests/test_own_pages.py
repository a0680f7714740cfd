"""The member's own corner: inbox, account, being forgotten; the live chain and its whole length."""

from kaituan.notices.models import Notice
from kaituan.notices.services import tell
from kaituan.people.models import Member
from tests import factories as make
from tests.factories import NOON


def told(town, person):
    return tell(
        person_id=person.pk, kind="order_cancelled", data={"campaign": town.campaign.pk, "follow_number": 1},
        link="/me/", dedupe_key=f"k{person.pk}", now=NOON,
    )  # fmt: skip


def test_the_inbox_shows_mine_only_and_all_read_marks_mine_only(town, zhang_client, stranger_client):
    told(town, town.zhang.person)
    told(town, town.stranger.person)
    assert 'class="unread"' in zhang_client.get("/me/inbox/").content.decode()
    for _ in range(2):
        zhang_client.post("/me/inbox/")
    assert 'class="unread"' not in zhang_client.get("/me/inbox/").content.decode()
    assert Notice.objects.get(person_id=town.stranger.person_id).read_at is None
    assert 'class="unread"' in stranger_client.get("/me/inbox/").content.decode()


def test_nobody_is_asked_to_sign_in(client, town):
    for page in ("/me/", "/me/inbox/", "/me/account/", "/me/account/delete/"):
        assert client.get(page)["Location"].startswith("/sign-in/")


def test_the_account_shows_a_masked_phone_and_the_groups(town, zhang_client):
    page = zhang_client.get("/me/account/").content.decode()
    assert town.account.phone not in page
    assert f"{town.account.phone[:3]}****{town.account.phone[-4:]}" in page
    assert town.listing.group.name in page


def test_signing_out_everywhere_ends_the_other_device_too(client, town, zhang_client):
    client.force_login(town.account)
    zhang_client.post("/me/account/")
    assert client.get("/me/")["Location"].startswith("/sign-in/")


def test_who_asks_is_forgotten_and_signed_out_and_the_order_stays(town, zhang_client):
    order = make.place(town.listing, town.zhang, (town.oranges, 1))
    zhang_client.post(f"/o/{order.public_id}/cancel/")
    assert zhang_client.get("/me/account/delete/").status_code == 200
    answer = zhang_client.post("/me/account/delete/")
    assert answer["Location"] == "/"
    person = town.zhang.person
    person.refresh_from_db()
    assert person.deleted_at is not None
    assert not Member.objects.filter(person=person, display_name="张敏").exists()
    assert zhang_client.get("/me/")["Location"].startswith("/sign-in/")
    order.refresh_from_db()
    assert order.list_fen == 3990


def test_with_goods_on_the_way_one_is_told_why_not_yet(town, zhang_client):
    make.place(town.listing, town.zhang, (town.oranges, 1))
    answer = zhang_client.post("/me/account/delete/")
    assert answer.status_code == 422
    town.zhang.person.refresh_from_db()
    assert town.zhang.person.deleted_at is None


def test_the_chain_as_json_is_public_masked_and_begins_where_asked(client, town):
    for number in range(3):
        make.place(
            town.listing, make.member(town.listing.group, f"李小{number}", room="9-9"), (town.oranges, 1)
        )
    url = f"/g/{town.listing.public_id}/chain.json"
    answer = client.get(url)
    assert [(row["number"], row["name"][0], row["items"]) for row in answer.json()["entries"]] == [
        (number, "李", "赣南脐橙 ×1") for number in (1, 2, 3)
    ]
    for secret in ("李小", "9-9", r"\u674e\u5c0f"):
        assert secret not in answer.content.decode()
    assert [row["number"] for row in client.get(url, {"after": "2"}).json()["entries"]] == [3]
    assert len(client.get(url, {"after": "x"}).json()["entries"]) == 3
    assert client.get("/g/nosuchthing/chain.json").status_code == 404


def test_a_long_chain_shows_its_latest_and_all_of_it_on_a_tap(client, town):
    town.pool.supplied_quantity = town.pool.available_quantity = 100
    town.pool.save(update_fields=["supplied_quantity", "available_quantity"])
    neighbour = make.member(town.listing.group, "李阿姨")
    for _ in range(62):
        make.place(town.listing, neighbour, (town.oranges, 1))
    url = f"/g/{town.listing.public_id}/"
    short, whole = client.get(url), client.get(url, {"all": ""})
    assert [row["number"] for row in short.context["entries"]] == list(range(3, 63))
    assert "?all#chain" in short.content.decode()
    assert [row["number"] for row in whole.context["entries"]] == list(range(1, 63))


def test_my_own_number_is_told_even_when_the_chain_has_moved_on(town, zhang_client):
    town.pool.supplied_quantity = town.pool.available_quantity = 100
    town.pool.save(update_fields=["supplied_quantity", "available_quantity"])
    make.place(town.listing, town.zhang, (town.oranges, 1))
    for _ in range(61):
        make.place(town.listing, make.member(town.listing.group, "李阿姨"), (town.oranges, 1))
    assert zhang_client.get(f"/g/{town.listing.public_id}/").context["mine"] == [1]
