"""The backup archive: a tar with the database, both keys, and a manifest that vouches for them.

``manifest.json`` stands first and names format, versions, time, and the size and SHA-256 of every other file.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from app.errors import Misconfigured

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database"
KEYS = ("pass_key", "secret_key")
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 16

Engine = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file must be like to be the one that was backed up."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the archive holds and where it came from."""

    format: int
    perkpass: str  # the version that wrote it
    revision: str  # of the database's schema
    engine: Engine
    created_at: AwareDatetime  # before the database was read: nothing later is in it
    files: Mapping[str, FileFacts]


def write_archive(
    target: Path, *, files: Mapping[str, Path], perkpass: str, revision: str, engine: Engine, at: datetime
) -> Manifest:
    """Write the archive, readable by its owner alone, and complete or not at all."""
    manifest = Manifest(
        format=FORMAT,
        perkpass=perkpass,
        revision=revision,
        engine=engine,
        created_at=at,
        files={name: _facts(path) for name, path in files.items()},
    )
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    described = draft.with_suffix(".manifest")
    try:
        described.write_bytes(TypeAdapter(Manifest).dump_json(manifest, indent=2))
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=5) as tar:
                tar.add(described, MANIFEST, filter=_anonymous)
                for name, path in files.items():
                    tar.add(path, name, filter=_anonymous)
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
        described.unlink(missing_ok=True)
    return manifest


def read_archive(source: Path, directory: Path) -> Manifest:
    """Lay the archive's files into ``directory`` and check each; raises Misconfigured for any damage."""
    try:
        with tarfile.open(source, mode="r:gz") as tar:
            manifest = _manifest(source, tar)
            for name, facts in manifest.files.items():
                _extract(source, tar, name, facts, directory / name)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as fault:
        raise Misconfigured(f"{source}: not a whole backup of Perkpass: {fault}") from fault
    return manifest


def _manifest(source: Path, tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    stream = tar.extractfile(first) if first and first.isfile() and first.name == MANIFEST else None
    if stream is None or first is None or first.size > _LARGEST_MANIFEST:
        raise Misconfigured(f"{source}: not a backup of Perkpass: it does not begin with {MANIFEST}")
    try:
        said: Any = json.loads(stream.read())
    except (ValueError, RecursionError):
        raise Misconfigured(f"{source}: {MANIFEST} is damaged: it is no JSON") from None
    if isinstance(said, dict) and said.get("format") != FORMAT:
        raise Misconfigured(
            f"{source}: format {said.get('format')!r} is not known here: restore it with the version of"
            f" Perkpass that wrote it ({said.get('perkpass')})"
        )
    try:
        manifest = TypeAdapter(Manifest).validate_python(said)
    except ValidationError as invalid:
        raise Misconfigured(f"{source}: {MANIFEST} is damaged: {invalid.error_count()} faults") from None
    if set(manifest.files) != {DATABASE, *KEYS}:
        raise Misconfigured(f"{source}: {MANIFEST} must name {DATABASE}, {' and '.join(KEYS)}")
    return manifest


def _extract(source: Path, tar: tarfile.TarFile, name: str, facts: FileFacts, target: Path) -> None:
    try:
        member = tar.getmember(name)
    except KeyError:
        raise Misconfigured(f"{source}: {name} is missing") from None
    stream = tar.extractfile(member) if member.isfile() else None
    if stream is None or member.size != facts.size:
        raise Misconfigured(f"{source}: {name} has another size than was backed up")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        digest = _copy(stream, written)
    if digest != facts.sha256:
        raise Misconfigured(f"{source}: {name} is damaged: its SHA-256 is not the one that was backed up")


def _copy(stream: IO[bytes], written: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        written.write(chunk)
    return digest.hexdigest()


def _facts(path: Path) -> FileFacts:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileFacts(size=path.stat().st_size, sha256=digest)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
