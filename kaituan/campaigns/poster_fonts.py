"""The fonts that posters are set in: found on the machine, since a Chinese font is too large to bring along."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import ImageFont

FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
    Path("/System/Library/Fonts"),
    Path("/Library/Fonts"),
    Path("C:/Windows/Fonts"),
)
CHINESE = (
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("NotoSansCJKsc-Regular.otf", "NotoSansCJKsc-Bold.otf"),
    ("NotoSansSC-Regular.otf", "NotoSansSC-Bold.otf"),
    ("SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf"),
    ("PingFang.ttc", "PingFang.ttc"),
    ("msyh.ttc", "msyhbd.ttc"),
    ("wqy-microhei.ttc", "wqy-microhei.ttc"),
    ("wqy-zenhei.ttc", "wqy-zenhei.ttc"),
)
"""(regular, bold), the best first. On Debian `fonts-noto-cjk` brings the first."""
EMOJI = ("NotoColorEmoji.ttf",)
EMOJI_PX = 109
"""The one size that bitmap emoji fonts have."""
SIMPLIFIED = ("CJK SC", "PingFang SC")
"""Of the faces in a collection the one whose shapes are those of the mainland."""

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True)
class Faces:
    """Where the fonts are: (path, index in the collection). emoji None: letters take its place."""

    regular: tuple[str, int]
    bold: tuple[str, int]
    emoji: str | None = None


@cache
def find_faces() -> Faces | None:
    """The machine's Chinese fonts, or None. Looked for once per process."""
    for regular, bold in CHINESE:
        found = _path_of(regular), _path_of(bold)
        if found[0] and found[1]:
            emoji = next((path for name in EMOJI if (path := _path_of(name))), None)
            return Faces(_simplified(found[0]), _simplified(found[1]), emoji)
    return None


@cache
def font(face: tuple[str, int], size: int) -> Font:
    path, index = face
    return ImageFont.truetype(path, size, index=index)


def _path_of(name: str) -> str | None:
    for folder in FONT_FOLDERS:
        if folder.is_dir():
            found = next(folder.rglob(name), None)
            if found is not None:
                return str(found)
    return None


def _simplified(path: str) -> tuple[str, int]:
    """The mainland's face of a collection; a single font is its own."""
    for index in range(20):
        try:
            family = ImageFont.truetype(path, 12, index=index).getname()[0] or ""
        except OSError:
            break
        if any(name in family for name in SIMPLIFIED):
            return path, index
    return path, 0
