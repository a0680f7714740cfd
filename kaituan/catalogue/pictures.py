"""Pictures that people upload: looked at, made smaller and written anew, so that nothing else comes with them."""

import io
import warnings

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from kaituan.catalogue.refusals import PictureRefused

MAX_BYTES = 8 * 2**20
MAX_PIXELS = 50_000_000
"""About what the best phones take; each pixel costs 3 bytes of memory while it is read."""
LONGEST_PX = 1_600
FORMATS = ("JPEG", "PNG", "WEBP")


def clean_picture(data: bytes, *, longest_px: int = LONGEST_PX) -> bytes:
    """A JPEG of what `data` shows, upright, at most `longest_px` wide and high, without EXIF or any other metadata.

    Place and time of a photo are personal data, and a file that only pretends to be a picture may be anything:
    the pixels alone are kept. Raises PictureRefused.
    """
    if len(data) > MAX_BYTES:
        raise PictureRefused(_("The picture is larger than %(mb)d MB.") % {"mb": MAX_BYTES // 2**20})
    try:
        with warnings.catch_warnings():
            # Pillow warns from half its own limit on; ours is below and refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise PictureRefused(_("The picture has too many pixels: make it smaller first."))
                # JPEGs can be decoded at a fraction of their size, which saves most of the memory.
                opened.draft("RGB", (longest_px, longest_px))
                upright = ImageOps.exif_transpose(opened)
                pixels = _on_white(upright)
    except PictureRefused:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise PictureRefused(_("This is no JPEG, PNG or WebP picture, or it is damaged.")) from error
    pixels.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    Image.frombytes("RGB", pixels.size, pixels.tobytes()).save(
        written, "JPEG", quality=85, optimize=True, progressive=True
    )
    return written.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    """Three channels; what was transparent is white."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        ground = Image.new("RGB", with_alpha.size, "white")
        ground.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return ground
    return picture.convert("RGB")
