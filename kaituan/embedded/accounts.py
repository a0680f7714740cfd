"""Who the server runs as. PostgreSQL refuses to run as root, so root lends it an account.

Run by an ordinary user, everything belongs to that user and there is no account to speak of (None).
Run by root, the server gets the system user `kaituan-pg`, made once with useradd. Where there is no
useradd (a bare container), `nobody` serves. A database that exists already keeps its owner.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kaituan.embedded.errors import EmbeddedError

SYSTEM_USER = "kaituan-pg"


@dataclass(frozen=True)
class Account:
    """A user of the system who owns the database's files and runs its server."""

    name: str
    uid: int
    gid: int


def account_for(cluster: Path) -> Account | None:
    """The account that runs the server of `cluster` (which need not exist yet); None means: as we are.

    Raises EmbeddedError when the files belong to somebody this process cannot act for.
    """
    me = os.geteuid()
    try:
        owner = cluster.stat().st_uid
    except FileNotFoundError:
        return _system_account() if me == 0 else None
    except PermissionError:
        owner = _nearest_owner(cluster)
    if me != 0:
        if owner != me:
            raise EmbeddedError(
                f"The database folder {cluster} belongs to the user {_name(owner)}, not to {_name(me)}: "
                "run this command as that user, or choose another data folder."
            )
        return None
    if owner == 0:
        raise EmbeddedError(
            f"The database folder {cluster} belongs to root, and PostgreSQL does not run as root: "
            f"give the folder and all in it to the user {_system_account().name} (chown -R) and start again."
        )
    return _account(owner)


def run(
    command: Sequence[str | os.PathLike[str]], *, account: Account | None
) -> subprocess.CompletedProcess[str]:
    """Run one PostgreSQL program as `account`, output captured, in a session of its own.

    The session of its own keeps a terminal's Ctrl-C from the server. The variables that steer libpq
    and pg_ctl are dropped, so that a PGDATA or PGPORT meant for another server cannot misdirect it.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= {"LC_ALL": "C"}
    return subprocess.run(  # noqa: S603
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        env=environment,
        umask=0o077,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def give(path: Path | int, account: Account | None) -> None:
    """Hand a file of ours (a path, not followed if it is a link, or an open file) to `account`."""
    if account is None:
        return
    if isinstance(path, int):
        os.fchown(path, account.uid, account.gid)
    else:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def blocked_folder(path: Path, account: Account) -> Path | None:
    """The first folder on the way to `path` (itself included) that `account` may not enter, if any."""
    for folder in [*reversed(path.parents), path]:
        if run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder], account=account).returncode != 0:
            return folder
    return None


def _system_account() -> Account:
    for name in (SYSTEM_USER, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            if name != SYSTEM_USER or not _add_system_user():
                continue
            entry = pwd.getpwnam(name)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made: "
        "add it by hand, or run Kaituan as an ordinary user."
    )


def _add_system_user() -> bool:
    """Make the system user; True if it is there afterwards, whoever made it."""
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return False
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    run([useradd, *options, "--shell", "/usr/sbin/nologin", SYSTEM_USER], account=None)
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return False
    return True


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        # A folder brought in from another machine or container: the number alone is enough.
        return Account(str(uid), uid, uid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _name(uid: int) -> str:
    return _account(uid).name


def _nearest_owner(path: Path) -> int:
    """The owner of the nearest folder above `path` that can be looked at."""
    for folder in path.parents:
        try:
            return folder.stat().st_uid
        except PermissionError:
            continue
    return 0
