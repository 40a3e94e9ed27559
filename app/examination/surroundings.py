"""Looks at what surrounds the service: settings, data directory, disk, templates, badges, Redis."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis

from app import keyring
from app.errors import BadInput, Misconfigured
from app.examination.looks import Look
from app.passes.findings import refusals
from app.passes.linter import lint_template
from app.sentences import say
from app.settings import PREFIX, Settings
from app.web.badges import DIRECTORY as BADGES
from app.web.badges import checked_artwork

SECONDS: Final = 3
LOW_DISK, FULL_DISK = 2 * 2**30, 200 * 2**20
"""Bytes that are left: a warning, a fault. A backup takes up to twice the database while it is made."""
_KEYS: Final = {"pass_key": say("pass key"), "secret_key": say("secret key")}


def public_url(settings: Settings) -> Look:
    """Whether phones accept the address in principle."""
    subject = say("public URL")
    if urlsplit(settings.public_url).scheme == "https":
        return Look(subject, "ok", settings.public_url)
    if settings.public_is_loopback:
        return Look(
            subject,
            "warning",
            say(
                "%(url)s is this machine alone: no phone can reach it. For guests set %(variable)s to an"
                " https address",
                url=settings.public_url,
                variable=f"{PREFIX}PUBLIC_URL",
            ),
        )
    return Look(
        subject,
        "fault",
        say(
            "%(url)s is not https, and iOS refuses cards that name it: put a proxy with TLS in front and set"
            " %(variable)s to its https address",
            url=settings.public_url,
            variable=f"{PREFIX}PUBLIC_URL",
        ),
    )


def data_directory(settings: Settings) -> Iterator[Look]:
    """Whether it is there, ours, and ours alone."""
    subject, directory = say("data directory"), settings.data_dir
    try:
        keyring.refuse_half_restored(settings)
        mode = stat.S_IMODE(directory.stat().st_mode)
    except Misconfigured as wrong:
        yield Look(subject, "fault", str(wrong))
    except FileNotFoundError:
        words = say("%(path)s does not exist yet; it is made at the first start", path=directory)
        yield Look(subject, "warning", words)
    except OSError as fault:
        yield Look(
            subject,
            "fault",
            say(
                "%(path)s: %(reason)s: correct %(variable)s",
                path=directory,
                reason=fault.strerror,
                variable=f"{PREFIX}DATA_DIR",
            ),
        )
    else:
        yield _directory(subject, directory, mode)


def _directory(subject: str, directory: Path, mode: int) -> Look:
    if not directory.is_dir():
        words = say("%(path)s is a file: correct %(variable)s", path=directory, variable=f"{PREFIX}DATA_DIR")
        return Look(subject, "fault", words)
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        words = say("%(path)s is not writable: give it to the user that runs Perkpass", path=directory)
        return Look(subject, "fault", words)
    if mode & 0o077:
        words = say(
            "%(path)s has mode %(mode)s, others may look in: chmod 700 %(path)s",
            path=directory,
            mode=f"{mode:04o}",
        )
        return Look(subject, "fault", words)
    return Look(subject, "ok", say("%(path)s is writable, by its owner alone", path=directory))


def disk(settings: Settings, *, low: int = LOW_DISK, full: int = FULL_DISK) -> Iterator[Look]:
    """How much room is left where the data directory lies; ``low`` and ``full`` are bytes."""
    if not settings.data_dir.is_dir():
        return
    left = shutil.disk_usage(settings.data_dir).free
    subject, space = say("disk"), f"{left / 2**30:.1f}"
    if left < full:
        words = say(
            "%(space)s GB are left where %(path)s lies: free some space at once, or nothing can be written",
            space=space,
            path=settings.data_dir,
        )
        yield Look(subject, "fault", words)
    elif left < low:
        words = say(
            "%(space)s GB are left where %(path)s lies: free some space, a backup needs twice the database",
            space=space,
            path=settings.data_dir,
        )
        yield Look(subject, "warning", words)
    else:
        yield Look(subject, "ok", say("%(space)s GB are left", space=space))


def open_to_others(path: Path) -> str | None:
    """The fault of a file that should be its owner's alone, with its fix."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return say(
        "%(path)s has mode %(mode)s, others may read it: chmod 600 %(path)s", path=path, mode=f"{mode:04o}"
    )


def keys(settings: Settings, known: Mapping[str, str]) -> Iterator[Look]:
    """The installation's keys; ``known`` are the fingerprints that the database remembers."""
    for name in keyring.NAMES:
        subject, path = _KEYS[name], settings.data_dir / name
        good: str = say("comes from the environment: keep a copy")
        if getattr(settings, name).get_secret_value():
            found = [keyring.fault(settings, name, known)]
        elif name not in known and not path.exists():
            found, good = [], say("is made at the first start")
        else:
            found = [open_to_others(path), keyring.fault(settings, name, known)]
            good = say(
                "%(path)s is the one this database is used with, readable by its owner alone", path=path
            )
        faults = [fault for fault in found if fault]
        words = faults[0] if len(faults) == 1 else "; ".join(faults)
        yield Look(subject, "fault" if faults else "ok", words or good)


def templates(settings: Settings, now: datetime) -> Iterator[Look]:
    """Whether cards can be made from each template."""
    if not settings.templates_dir.is_dir():
        words = say(
            "%(path)s does not exist: set %(variable)s",
            path=settings.templates_dir,
            variable=f"{PREFIX}TEMPLATES_DIR",
        )
        yield Look(say("templates"), "fault", words)
        return
    for folder in sorted(path for path in settings.templates_dir.iterdir() if path.is_dir()):
        if not (folder / "layout.toml").exists():
            continue
        refused = refusals(lint_template(folder, now=now))
        subject = say("template %(name)s", name=folder.name)
        if refused:
            yield Look(subject, "fault", "; ".join(str(finding) for finding in refused))
        else:
            yield Look(subject, "ok", say("cards can be made from it"))


def badges(settings: Settings) -> Iterator[Look]:
    """The wallets' artwork, where the operator put any."""
    directory = settings.data_dir / BADGES
    for path in sorted(directory.glob("*.svg")) if directory.is_dir() else []:
        try:
            checked_artwork(path.read_bytes())
        except (OSError, BadInput) as fault:
            words = say(
                "%(path)s cannot be shown (%(fault)s), and guests see our own button: perkpass badge add",
                path=path,
                fault=fault,
            )
            yield Look(say("badge %(name)s", name=path.name), "warning", words)


def redis_answers(settings: Settings) -> Iterator[Look]:
    """Whether Redis is there, where it is to be."""
    subject, variable = say("redis"), f"{PREFIX}REDIS_URL"
    if not settings.redis_url:
        if not settings.embedded:
            words = say(
                "%(variable)s is empty: workers on other machines are not woken, they poll, and rate limits"
                " hold per process",
                variable=variable,
            )
            yield Look(subject, "warning", words)
        return
    client = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS)
    try:
        client.ping()
        yield Look(subject, "ok", say("answers"))
    except (redis.RedisError, OSError) as fault:
        words = say(
            "does not answer (%(fault)s): start it, or correct %(variable)s", fault=fault, variable=variable
        )
        yield Look(subject, "fault", words)
    finally:
        client.close()
