"""The example chain half a year into its life, for pictures of the console: two brands, six venues.

The clock stands still and chance is seeded, keys and links included, so that the same page gives the same
picture. Nothing here is for a service: its secrets are anybody's.
"""

from __future__ import annotations

import random
import secrets
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.accounts import brands, invitations, passwords, sessions, users
from app.accounts.brands import Brand
from app.accounts.roles import Role
from app.accounts.users import User
from app.commands.chain_file import read_chain
from app.commands.chain_load import Surroundings, load_chain
from app.db import Database, Tx, connect, schema
from app.examination.alarms import Alarms
from app.passes.press import Press
from app.passes.sealing import Safe
from app.places import venues
from app.simulators.authority import Authority
from app.web.application import make_flask
from app.web.console.cookies import Cookies
from app.web.console.registry import Console
from app.web.services import Services
from tests.pictures.looks import LOOKS

if TYPE_CHECKING:
    from flask import Flask

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "docs" / "chain.example.toml"
TEMPLATES = Path(__file__).parents[2] / "pass_templates"
SECRET = b"a key for these pictures, 32 byte"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0"
    " Safari/537.36"
)
TEAM: tuple[tuple[str, str, Role], ...] = (
    ("Анна Ковалёва", "anna@pechka.example", "owner"),
    ("Илья Рощин", "ilya@pechka.example", "marketer"),
    ("Вера Лунина", "vera@pechka.example", "manager"),
    ("Тимур Асадов", "timur@pechka.example", "cashier"),
)


@dataclass(slots=True)
class Clock:
    """Stands still."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


class _Silence:
    def ring(self) -> None:
        """Nobody sleeps here."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The console over the chain, and who may look at it: by name of a role, or "operator"."""

    database: Database
    services: Services
    application: Flask
    console: Console
    people: dict[str, User]
    tokens: dict[str, str] = field(default_factory=dict)  # of each who was signed in once
    told: dict[str, Any] = field(default_factory=dict)
    """What addresses name: numbers of guests, codes, invitations."""

    def brand(self, slug: str = "pechka") -> Brand:
        """One of the two."""
        with self.database.read() as tx:
            return brands.brand_by_slug(tx, slug)

    def cookie(self, who: str, language: str) -> dict[str, str]:
        """For Playwright: signed in as ``who``, who reads ``language``."""
        user = self.people[who]
        with self.database.write() as tx:
            users.set_language(tx, user.id, language)  # type: ignore[arg-type]
            if who not in self.tokens:
                self.tokens[who] = sessions.begin(tx, user, user_agent=SAFARI, now=NOW)[1]
        cookies = Cookies(self.services)
        return {
            "name": cookies.name,
            "value": cookies.signed(self.tokens[who]),
            "url": self.services.public_url,
        }


def seed_chance(seed: int = 8) -> None:
    """Let this process draw its keys and codes from a seed: for pictures alone."""
    random._urandom = random.Random(seed).randbytes  # type: ignore[attr-defined]
    assert secrets.token_hex(4)


def open_chain(directory: Path, public_url: str) -> Chain:
    """An installation with the example chain in ``directory``, as yet without guests."""
    seed_chance()
    authority = Authority.create(directory / "authority", now=NOW - timedelta(days=1))
    for brand, valid in (("pechka", 24), ("zerno", 340)):
        authority.pass_credentials(
            directory / "certs" / brand, pass_type_identifier=f"pass.com.example.{brand}",
            team_identifier="A1B2C3D4E5", organization=brand, valid=timedelta(days=valid),
        )  # fmt: skip
    file = directory / "docs" / "chain.toml"
    file.parent.mkdir()
    shutil.copy(EXAMPLE, file)
    database = connect(f"sqlite:///{directory / 'pictures.db'}")
    schema.migrate(database)
    begun = NOW - timedelta(days=170)
    report = load_chain(database, read_chain(file), Surroundings(file.parent, TEMPLATES, begun, "cli:anna"))
    assert report.faults == []
    services = _services(database, public_url)
    application = make_flask(services)
    console = application.blueprints["console"]
    assert isinstance(console, Console)
    with database.write() as tx:
        people = _people(tx)
    return Chain(database, services, application, console, people)


def _services(database: Database, public_url: str) -> Services:
    clock = Clock()
    press = Press(f"{public_url}/passkit", clock=clock, safe=Safe.of(SECRET))
    alarms = Alarms(press, None, Safe.of(SECRET))

    def build(_tx: Tx, _pass_id: object) -> bytes:
        return b"nobody installs a picture"

    return Services(
        database=database, press=press, wakeup=_Silence(), clock=clock, build_pass=build,
        evidence_age=lambda _: timedelta(0), public_url=public_url, secret_key=SECRET, pass_key=SECRET,
        examine=lambda _now, _outside: LOOKS, alarms=alarms.raised, templates_dir=TEMPLATES,
    )  # fmt: skip


def _people(tx: Tx) -> dict[str, User]:
    joined = NOW - timedelta(days=160)
    password = passwords.hashed("eleven blue herons")
    found: dict[str, User] = {}
    pechka, zerno = (brands.brand_by_slug(tx, slug) for slug in ("pechka", "zerno"))
    own = [each.id for each in venues.all_venues(tx, pechka.id)][:2]
    actor = "installation"
    for name, email, role in TEAM:
        user = users.create_user(
            tx, email=email, name=name, password_hash=password, language="ru", operator=False, now=joined
        )
        users.grant(tx, user.id, pechka.id, role, own if role == "manager" else [], now=joined, actor=actor)
        found[role] = user
        actor = found["owner"].actor
    users.grant(tx, found["owner"].id, zerno.id, "owner", now=joined, actor=actor)
    found["operator"] = users.create_user(
        tx, email="olga@pechka.example", name="Ольга Зимина", password_hash=password, language="ru",
        operator=True, now=joined,
    )  # fmt: skip
    found["newcomer"] = users.create_user(
        tx, email="nina@pechka.example", name="Нина Берёзкина", password_hash=password, language="ru",
        operator=False, now=joined,
    )  # fmt: skip
    invitations.invite(
        tx, pechka.id, "manager", venues=own[:1], name="Олег", now=NOW - timedelta(hours=3), actor=actor
    )
    sessions.begin(tx, found["owner"], user_agent=CHROME, now=NOW - timedelta(hours=19))
    return found
