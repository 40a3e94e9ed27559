"""The pass key and the secret key: made once for a fresh installation, never replaced behind anyone's back.

The database holds a fingerprint of each key it was first used with. A key that is missing, damaged or another
one stops every process that would make or accept cards, with a sentence that names the way back.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cryptography import x509

from app import data_dir
from app.accounts import fingerprints
from app.db import Database
from app.errors import Misconfigured
from app.passes.sealing import Safe
from app.settings import KEY_CHARACTERS, PREFIX, Settings

KeyName = Literal["pass_key", "secret_key"]
NAMES: tuple[KeyName, ...] = ("pass_key", "secret_key")
RESTORING = "restoring"
"""A file in the data directory while ``perkpass restore`` replaces database and keys."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Both keys of this installation."""

    pass_key: bytes
    secret_key: bytes


def open_keys(settings: Settings, database: Database, *, now: datetime) -> Keys:
    """The keys that this database is used with; a fresh installation's are made (0600) and noted.

    Raises :class:`Misconfigured` with one line for every key that is not the one the database knows.
    """
    refuse_half_restored(settings)
    with database.read() as tx:
        known = fingerprints.known(tx)
    for name in NAMES:
        if name not in known and not _given(settings, name):
            make(settings.data_dir, name)
    keys = _checked(settings, known)
    if set(NAMES) - set(known):
        with database.write() as tx:
            for name in NAMES:
                fingerprints.remember(tx, name, getattr(keys, name), now=now)
            known = fingerprints.known(tx)
        # Another machine may have been faster, with keys of its own.
        keys = _checked(settings, known)
    return keys


def read_keys(settings: Settings, database: Database) -> Keys:
    """Like :func:`open_keys`, and changes nothing: a key that is not there is a fault."""
    refuse_half_restored(settings)
    with database.read() as tx:
        known = fingerprints.known(tx)
    return _checked(settings, known)


def safe(settings: Settings, keys: Keys) -> Safe:
    """What the keys of uploaded certificates are sealed with; derived from the pass key.

    Where pushes go to a sandbox, what its authority issues counts as Apple's.
    """
    sandbox = settings.apns_ca if not _is_apples(settings.apns_url) else None
    trusted = x509.load_pem_x509_certificates(sandbox.read_bytes()) if sandbox else []
    return Safe.of(keys.pass_key, authorities=tuple(trusted))


def _is_apples(apns_url: str) -> bool:
    return (urlsplit(apns_url).hostname or "").endswith(".apple.com")


def present(settings: Settings) -> Keys:
    """The keys as they lie there, asked nothing: for who has looked at :func:`fault` before."""
    return Keys(pass_key=_key(settings, "pass_key"), secret_key=_key(settings, "secret_key"))


def fault(settings: Settings, name: KeyName, known: Mapping[str, str]) -> str | None:
    """What is wrong with this key and how to put it right; ``known`` as in :func:`fingerprints.known`."""
    word, variable, path = name.replace("_", " "), f"{PREFIX}{name.upper()}", settings.data_dir / name
    try:
        key = _key(settings, name)
    except OSError as unreadable:
        return f"{path}: cannot read the {word}: {unreadable.strerror}"
    where = variable if _given(settings, name) else str(path)
    bring_back = (
        f"take it out of a backup (tar -xzf BACKUP -C {settings.data_dir} {name}; perkpass restore brings"
        f" everything back), or give every machine the same {variable} (or {variable}_FILE)"
    )
    if not key:
        what = "is empty" if path.exists() else "is missing"
        if name in known:
            return f"{path} {what}, the {word} that this database was first used with: {bring_back}"
        return f"{path} {what}: the {word} is made at the first start of Perkpass (perkpass run)"
    if len(key) < KEY_CHARACTERS:
        return f"{where} is damaged, a {word} has at least {KEY_CHARACTERS} characters: {bring_back}"
    if name in known and not hmac.compare_digest(known[name], fingerprints.fingerprint(key)):
        return f"{where} is not the {word} that this database was first used with: {bring_back}"
    return None


def refuse_half_restored(settings: Settings) -> None:
    """Raise :class:`Misconfigured` where a restore was interrupted: database and keys may not fit."""
    if (settings.data_dir / RESTORING).exists():
        raise Misconfigured(
            "A restore was interrupted, database and keys may not belong together: run perkpass restore"
            " --force with the same backup again"
        )


def make(directory: Path, name: KeyName) -> None:
    """Make a key in the directory unless it has one; however many start together, there is one."""
    data_dir.prepare(directory)
    path = directory / name
    if path.exists():
        return
    draft = write_draft(directory, name, secrets.token_urlsafe(KEY_CHARACTERS).encode())
    try:
        # Linked into place complete and durable: a key that phones have seen must survive a power cut.
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError as failed:
        raise Misconfigured(f"{path}: cannot keep the key: {failed.strerror}") from None
    finally:
        draft.unlink()
    sync(directory)


def write_draft(directory: Path, name: KeyName, key: bytes) -> Path:
    """The key in a file of another name beside its place (0600), on the disk; raises Misconfigured."""
    draft = directory / f".{name}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(key)
            written.flush()
            os.fsync(written.fileno())
    except OSError as failed:
        raise Misconfigured(f"{draft}: cannot keep the key: {failed.strerror}") from None
    return draft


def sync(directory: Path) -> None:
    """Make the names of the directory's files durable, as fsync does with what they hold."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked(settings: Settings, known: Mapping[str, str]) -> Keys:
    faults = [found for name in NAMES if (found := fault(settings, name, known))]
    if faults:
        raise Misconfigured(*faults)
    return Keys(pass_key=_key(settings, "pass_key"), secret_key=_key(settings, "secret_key"))


def _given(settings: Settings, name: KeyName) -> str:
    given: str = getattr(settings, name).get_secret_value()
    return given


def _key(settings: Settings, name: KeyName) -> bytes:
    """Empty where there is none."""
    if given := _given(settings, name):
        return given.encode()
    try:
        return (settings.data_dir / name).read_bytes().strip()
    except FileNotFoundError:
        return b""
