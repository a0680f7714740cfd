"""Photos of what was wrong: re-encoded, without EXIF, within limits, and gone if the claim is not opened."""

import io
from pathlib import Path

import pytest
from PIL import Image

from kaituan.aftersales.models import Claim, ClaimPhoto
from kaituan.aftersales.photos import MAX_PHOTOS
from kaituan.aftersales.refusals import ClaimRefused, PhotoRefused
from kaituan.aftersales.services import refuse_claim
from kaituan.aftersales.tests.test_claims import ask
from kaituan.fulfilment.tests.conftest import EVENING
from kaituan.notices.models import OutboxMessage
from kaituan.notices.relay import relay_all
from kaituan.notices.services import announce
from kaituan.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db
OWNER = "Zhang Min, 3-502"


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def photo(*, size=(40, 20), form="JPEG"):
    """A photo with a place and an owner in its EXIF."""
    exif = Image.Exif()
    exif[0x013B] = OWNER
    exif.get_ifd(0x8825)[1] = "N"
    written = io.BytesIO()
    Image.new("RGB", size, "orange").save(written, form, exif=exif)
    return written.getvalue()


def files(folder: Path):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_stored_picture_has_no_exif_and_an_unguessable_name(town, uploads):
    assert OWNER.encode() in photo()
    claim = ask(town, photos=[photo(), photo(form="PNG")])
    rows = list(ClaimPhoto.objects.filter(claim=claim))
    assert len(rows) == len(files(uploads)) == 2
    for row in rows:
        data = row.image.read()
        row.image.close()
        with Image.open(io.BytesIO(data)) as stored:
            assert (stored.format, dict(stored.getexif())) == ("JPEG", {})
        assert OWNER.encode() not in data
        assert row.image.name.startswith("claims/")


def test_what_is_no_picture_is_refused_by_its_number_and_nothing_is_kept(town, uploads):
    with pytest.raises(PhotoRefused, match="Photo 2"):
        ask(town, photos=[photo(), b"<svg onload=alert(1)>"])
    assert not Claim.objects.exists()
    assert files(uploads) == []


def test_there_are_only_so_many(town):
    with pytest.raises(PhotoRefused, match="At most"):
        ask(town, photos=[photo()] * (MAX_PHOTOS + 1))


def test_a_claim_that_is_refused_leaves_no_file(town, uploads):
    with pytest.raises(ClaimRefused):
        ask(town, asked_fen=10**9, photos=[photo()])
    assert files(uploads) == []


def test_a_failure_while_storing_takes_the_files_away_again(town, uploads, monkeypatch):
    saved = []

    def save_once(row, *args, **kwargs):
        saved.append(row)
        if len(saved) == 2:
            raise OSError("disk full")
        return original(row, *args, **kwargs)

    original = ClaimPhoto.save
    monkeypatch.setattr(ClaimPhoto, "save", save_once)
    with pytest.raises(OSError, match="disk full"):
        ask(town, photos=[photo(), photo()])
    assert files(uploads) == []
    assert not Claim.objects.exists()


class TestForgettingWhoTookThem:
    @pytest.fixture
    def claim(self, town):
        claim = ask(town, photos=[photo(), photo()])
        return refuse_claim(claim=claim, answer="看不清", acting_person=town.leader.person, now=EVENING)

    def forget(self, person):
        announce(topic="person_deleted", subject=f"person:{person.pk}", now=EVENING)
        relay_all(handlers=HANDLERS, now=EVENING)

    def test_files_and_rows_go_and_the_claim_stays(self, town, claim, uploads):
        self.forget(town.zhang.person)
        assert files(uploads) == []
        assert not ClaimPhoto.objects.exists()
        assert Claim.objects.get().status == "refused"

    def test_everybody_else_s_stay(self, town, claim, uploads):
        self.forget(town.wang.person)
        assert len(files(uploads)) == ClaimPhoto.objects.count() == 2

    def test_killed_between_a_file_and_its_row_it_is_done_again(self, town, claim, uploads):
        ClaimPhoto.objects.first().image.delete(save=False)
        for _time in range(2):
            self.forget(town.zhang.person)
        assert OutboxMessage.objects.filter(topic="person_deleted").count() == 2
        assert files(uploads) == []
        assert not ClaimPhoto.objects.exists()
