"""The console over two brands that know nothing of each other, and a browser for every role in each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client, EnvironBuilder, TestResponse

from app.accounts import passwords, sessions, users
from app.accounts.roles import ROLES, Role
from app.accounts.users import User
from app.db import Database, Tx
from app.places import venues
from app.places.venues import Venue, VenueDraft
from app.sms.book import SmsBook
from app.web.application import make_flask
from app.web.console.cookies import Cookies
from app.web.console.registry import Console
from app.web.services import Services
from tests.web.guests import NOW, Clock, Shop, World, open_world

PASSWORD = "eleven blue herons"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A browser, signed in or not."""

    client: Client
    user: User | None

    def get(self, address: str, **headers: str) -> TestResponse:
        """A page."""
        return self.client.get(address, headers=headers)

    def send(
        self, page: str, address: str | None = None, /, *, files: Any = None, **fields: Any
    ) -> TestResponse:
        """A form of ``page``, sent to ``address`` (else to the page), with the token that the page gave."""
        data = {"csrf_token": self.token(page), **fields, **(files or {})}
        return self.client.post(address or page, data=data)

    def token(self, page: str) -> str:
        """The CSRF token in the forms of a page."""
        shown = self.get(page)
        found = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)
        assert found, shown.text
        return unescape(found[1])


@dataclass(frozen=True, slots=True)
class House:
    """Two brands, cafe and bakery, each with the venues main and second; their managers have main.

    The bakery has ``elsewhere`` too, which the cafe has not.
    """

    world: World
    console: Console
    application: Any
    second: dict[str, Venue]
    team: dict[tuple[str, Role], User]
    operator: User
    made: dict[tuple[str, str], str] = field(default_factory=dict)
    """What the role matrix puts into addresses, by parameter and brand."""
    _desks: dict[int, Desk] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def services(self) -> Services:
        return self.world.services

    @property
    def cafe(self) -> Shop:
        return self.world.cafe

    @property
    def bakery(self) -> Shop:
        return self.world.bakery

    def stranger(self, language: str = "en", address: str = "127.0.0.1") -> Desk:
        """A browser that nobody signed in with."""
        return Desk(self._client(language, address), None)

    def desk(self, role: Role | User = "owner", brand: str = "cafe") -> Desk:
        """The browser of whoever has this role in the brand, signed in; the same one each time."""
        user = role if isinstance(role, User) else self.team[brand, role]
        if user.id not in self._desks:
            self._desks[user.id] = self.new_desk(user)
        return self._desks[user.id]

    def new_desk(self, user: User, address: str = "127.0.0.1") -> Desk:
        """Another browser of this user, signed in."""
        client = self._client(user.language, address)
        with self.database.write() as tx:
            _, token = sessions.begin(tx, user, user_agent=SAFARI, now=self.clock())
        cookies = Cookies(self.services)
        host = urlsplit(self.services.public_url).hostname or ""
        client.set_cookie(cookies.name, cookies.signed(token), domain=host, path="/", secure=cookies.secure)
        return Desk(client, user)

    def _client(self, language: str, address: str) -> Browser:
        around = {"HTTP_USER_AGENT": SAFARI, "HTTP_ACCEPT_LANGUAGE": language, "REMOTE_ADDR": address}
        return Browser(self.application, self.services.public_url, around)


class Browser(Client):
    """Keeps cookies and asks the service at its public address."""

    def __init__(self, application: Any, origin: str, around: dict[str, str]) -> None:
        super().__init__(application, TestResponse, use_cookies=True)
        self._origin, self._around = origin, around

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """As the client's."""
        if args and isinstance(args[0], EnvironBuilder):  # it follows a redirect
            return super().open(*args, **kwargs)
        kwargs.setdefault("base_url", self._origin)
        kwargs["environ_overrides"] = {**self._around, **kwargs.get("environ_overrides", {})}
        return super().open(*args, **kwargs)


@cache
def password_hash() -> str:
    """Of :data:`PASSWORD`; made once, since making one takes its time."""
    return passwords.hashed(PASSWORD)


def open_house(
    database: Database, *, public_url: str = "https://cards.example", sms_book: SmsBook | None = None
) -> House:
    """Everybody is called by role and brand: cafe-owner@example.com."""
    world = open_world(database, public_url=public_url, sms_book=sms_book)
    flask = make_flask(world.services)
    console = flask.blueprints["console"]
    assert isinstance(console, Console)
    second: dict[str, Venue] = {}
    team: dict[tuple[str, Role], User] = {}
    with database.write() as tx:
        for slug, shop in (("cafe", world.cafe), ("bakery", world.bakery)):
            draft = VenueDraft(brand_id=shop.brand.id, slug="second", name="Second", address="Side street 2")
            second[slug] = venues.create_venue(tx, draft, now=NOW, actor="test")
            for role in ROLES:
                user = a_user(tx, f"{slug}-{role}@example.com", f"{slug} {role}".title())
                users.grant(tx, user.id, shop.brand.id, role, [shop.venue.id], now=NOW, actor="test")
                team[slug, role] = user
        draft = VenueDraft(
            brand_id=world.bakery.brand.id, slug="elsewhere", name="Elsewhere", address="High street 3"
        )
        venues.create_venue(tx, draft, now=NOW, actor="test")
        operator = a_user(tx, "operator@example.com", "Olga Operator", operator=True)
    return House(world, console, flask, second, team, operator)


def a_user(tx: Tx, email: str, name: str, *, operator: bool = False) -> User:
    """Somebody with :data:`PASSWORD`, who reads English."""
    return users.create_user(
        tx, email=email, name=name, password_hash=password_hash(), language="en", operator=operator, now=NOW
    )
