"""Static files under names that carry their content's hash, so that browsers keep each as long as they like.

`kaituan serve` prepares them in the data folder before it serves: a second at the first start and after an
upgrade, otherwise one look at them. Files of the version before stay, for pages that are open.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

WAY_OF_MAKING = "1"
"""Raise it when the files come out differently from the same sources."""
PREPARED_FILE = "prepared"
"""Of which files the folder was made; written last, so that an interrupted making is begun again."""


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """base.css -> base.0123456789ab.css, beside it its .gz; scripts import each other by these names too."""

    support_js_module_import_aggregation = True
    manifest_strict = False

    def stored_name(self, name: str) -> str:
        """A file that an app names and does not bring is that file's 404, not the whole page's."""
        try:
            return str(super().stored_name(name))
        except ValueError:
            return name


def prepare(storage: Any) -> bool:
    """Collect every app's files into `storage`, a HashedStorage; True if anything was to be done.

    Several processes may start at once: one of them does it. Raises OSError where the folder cannot be written,
    ValueError for a style sheet that names a file which is not there.
    """
    folder = Path(storage.location)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = dict(_found())
        fingerprint = _fingerprint(found)
        mark = folder / PREPARED_FILE
        if mark.is_file() and mark.read_text() == fingerprint:
            return False
        mark.unlink(missing_ok=True)
        for name, source in found.items():
            storage.delete(name)
            with source.open(name) as file:
                storage.save(name, file)
        for _name, _hashed, outcome in storage.post_process({name: (storage, name) for name in found}):
            if isinstance(outcome, Exception):
                raise outcome
        mark.write_text(fingerprint)
        return True
    finally:
        os.close(lock)


def _found() -> Iterator[tuple[str, Storage]]:
    """Each file's name and where it lies; of several of one name the first app's, as in a lookup."""
    seen = set()
    for finder in get_finders():
        for name, source in finder.list([]):
            if name not in seen:
                seen.add(name)
                yield name, source


def _fingerprint(found: dict[str, Storage]) -> str:
    """Of the contents: packages are installed with whatever time of change. 220 files take some 20 ms."""
    digest = hashlib.blake2b(WAY_OF_MAKING.encode())
    for name, source in sorted(found.items()):
        content = Path(source.path(name)).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
