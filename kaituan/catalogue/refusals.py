"""What the catalogue refuses to do, each reason with its name. The message is one sentence for the reader."""

from collections.abc import Mapping


class CatalogueRefused(Exception):
    """The change cannot be made; the message says why and what to do."""


class InvalidFields(CatalogueRefused):
    """Something that was typed cannot stand. errors: field name -> sentence, to be shown by the field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


class StillInUse(CatalogueRefused):
    """Other rows stand on it: it cannot be archived or changed in this way."""


class PriceRefused(CatalogueRefused):
    """A price that would rewrite the history that discounts are shown against."""


class PoolTooLow(CatalogueRefused):
    """More would be taken out of a pool than is unsold in it."""


class PictureRefused(CatalogueRefused):
    """The upload is no picture that we take."""


class PriceListUnreadable(CatalogueRefused):
    """The file as a whole cannot be read as a price list."""


class PreviewStale(CatalogueRefused):
    """The catalogue has changed since the preview: what was shown is no longer what would happen."""
