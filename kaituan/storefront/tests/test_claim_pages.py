"""Saying what was wrong, with a photo that only those see who may see the claim."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from kaituan.aftersales.models import Claim, ClaimPhoto
from kaituan.aftersales.photos import MAX_PHOTOS
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, Town
from kaituan.people.models import Account
from kaituan.web import clock
from tests import factories as make


@pytest.fixture
def town(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    make.plan()
    town = Town()
    town.paid = town.paid_order(town.zhang, (town.oranges, 3))
    town.cut_off()
    town.send_all()
    town.receive(town.oranges, 4)
    town.share_out(town.oranges)
    confirm_arrival(
        campaign=town.campaign, pickup_point=town.listing.pickup_point, acting_person=None, now=MORNING
    )
    town.line = town.paid.lines.get()
    town.url = f"/o/{town.paid.public_id}/claim/{town.line.pk}/"
    with clock.standing_at(EVENING):
        yield town


def signed_in(person):
    client = Client()
    client.force_login(Account.objects.filter(person=person).first() or make.account(person))
    return client


@pytest.fixture
def zhang(town):
    return signed_in(town.zhang.person)


@pytest.fixture
def handed(town):
    hand_over(
        lines_quantities={town.line.pk: 3}, method="name", leader=town.leader, acting_person=town.leader.person,
        now=EVENING, key="k",
    )  # fmt: skip
    return town


def picture():
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "JPEG")
    return SimpleUploadedFile("apple.jpg", file.getvalue(), "image/jpeg")


def wrong(**fields):
    return {"reason": "quality", "words": "两个坏了", "asked": "10.00", "key": "c1", **fields}


def test_before_the_hand_over_there_is_nothing_to_claim(town, zhang):
    assert zhang.post(town.url, wrong()).status_code == 422
    assert not Claim.objects.exists()


def test_a_claim_with_a_photo_is_opened_once_and_shown_on_the_order(handed, zhang):
    for _ in range(2):
        answer = zhang.post(handed.url, wrong(photo=picture()))
        assert answer.status_code in (302, 422)
    claim = Claim.objects.get()
    assert (claim.reason, claim.asked_fen, claim.photos.count()) == ("quality", 1000, 1)
    assert claim.public_id in zhang.get(f"/o/{handed.paid.public_id}/").content.decode()


def test_several_photos_go_with_one_claim(handed, zhang):
    assert 'type="file" name="photo" accept="image/*"' in zhang.get(handed.url).content.decode()
    assert zhang.post(handed.url, wrong(photo=[picture(), picture(), picture()])).status_code == 302
    assert Claim.objects.get().photos.count() == 3


def test_too_many_photos_are_refused_beside_the_field_and_asked_for_again(handed, zhang):
    answer = zhang.post(handed.url, wrong(photo=[picture() for _ in range(MAX_PHOTOS + 1)]))
    assert answer.status_code == 422
    assert "id_photo_error" in answer.content.decode()
    assert answer.context["lost_photos"] == MAX_PHOTOS + 1
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    "bad", [{"asked": "0"}, {"asked": "119.71"}, {"asked": "x"}, {"reason": ""}, {"reason": "mood"}]
)
def test_what_cannot_be_keeps_what_was_typed(handed, zhang, bad):
    answer = zhang.post(handed.url, wrong(**bad))
    assert answer.status_code == 422
    assert "两个坏了" in answer.content.decode()
    assert not Claim.objects.exists()


def test_what_is_no_picture_is_refused_beside_the_field(handed, zhang):
    file = SimpleUploadedFile("x.jpg", b"<svg onload=alert(1)>", "image/jpeg")
    answer = zhang.post(handed.url, wrong(photo=file))
    assert answer.status_code == 422
    assert "id_photo_error" in answer.content.decode()
    assert not Claim.objects.exists()


def test_a_line_is_claimed_by_its_member_only(handed, client):
    for person in (handed.wang.person, handed.zhao.person):
        assert signed_in(person).get(handed.url).status_code == 404
        assert signed_in(person).post(handed.url, wrong()).status_code == 404
    assert client.get(handed.url)["Location"].startswith("/sign-in/")
    assert not Claim.objects.exists()


def test_another_lines_number_on_ones_own_order_is_not_found(handed, zhang):
    assert zhang.get(f"/o/{handed.paid.public_id}/claim/999999/").status_code == 404


def test_a_claim_is_taken_back_by_its_member_only(handed, zhang):
    zhang.post(handed.url, wrong())
    claim = Claim.objects.get()
    assert signed_in(handed.wang.person).post(handed.url, {"withdraw": claim.public_id}).status_code == 404
    for _ in range(2):
        zhang.post(handed.url, {"withdraw": claim.public_id})
    claim.refresh_from_db()
    assert claim.status == "withdrawn"


def test_a_photo_is_for_the_member_and_the_leader_and_nobody_else(handed, zhang, client):
    zhang.post(handed.url, wrong(photo=picture()))
    url = f"/photo/{ClaimPhoto.objects.get().pk}/"
    for may in (zhang, signed_in(handed.leader.person)):
        answer = may.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert b"".join(answer.streaming_content)[:2] == b"\xff\xd8"
    for person in (handed.wang.person, handed.elsewhere.leader.person):
        assert signed_in(person).get(url).status_code == 404
    assert client.get(url)["Location"].startswith("/sign-in/")
    assert zhang.get("/photo/999999/").status_code == 404
