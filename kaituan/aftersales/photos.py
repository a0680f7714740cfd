"""Photos of what was wrong: looked at before anything is written, stored without EXIF."""

from collections.abc import Sequence
from datetime import datetime

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from kaituan.aftersales.models import Claim, ClaimPhoto
from kaituan.aftersales.refusals import PhotoRefused
from kaituan.catalogue.pictures import clean_picture
from kaituan.catalogue.refusals import PictureRefused
from kaituan.notices.models import OutboxMessage
from kaituan.people.models import new_public_id

MAX_PHOTOS = 6


def clean_photos(*, photos: Sequence[bytes]) -> list[bytes]:
    """The uploads as plain JPEGs, upright and made smaller. Raises PhotoRefused, naming the one that is wrong."""
    if len(photos) > MAX_PHOTOS:
        raise PhotoRefused(_("At most %(count)d photos, please.") % {"count": MAX_PHOTOS})
    cleaned = []
    for number, photo in enumerate(photos, start=1):
        try:
            cleaned.append(clean_picture(photo))
        except PictureRefused as refusal:
            raise PhotoRefused(
                _("Photo %(number)d: %(why)s") % {"number": number, "why": refusal}
            ) from refusal
    return cleaned


def store_photos(*, claim: Claim, photos: Sequence[bytes], now: datetime) -> list[ClaimPhoto]:
    """Keep cleaned photos with their claim, under names that nobody can guess.

    If the transaction fails in here the files already written are taken away again.
    """
    stored: list[ClaimPhoto] = []
    try:
        with transaction.atomic():
            for photo in photos:
                row = ClaimPhoto(claim=claim, added_at=now)
                row.image.save(f"{new_public_id()}.jpg", ContentFile(photo), save=False)
                stored.append(row)
                row.save()
    except BaseException:
        for row in stored:
            row.image.delete(save=False)
        raise
    return stored


def person_was_deleted(message: OutboxMessage) -> None:
    """The photos of a forgotten person's claims go, files first: killed in between, the next run finds the row
    and takes a file that is gone for taken away. After the deletion's commit, since a file has no rollback."""
    person_id = int(message.subject.partition(":")[2])
    theirs = Q(claim__opened_by_id=person_id) | Q(claim__line__order__person_id=person_id)
    for photo in ClaimPhoto.objects.filter(theirs).order_by("pk"):
        photo.image.delete(save=False)
        photo.delete()
