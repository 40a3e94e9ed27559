"""A cafe and a bakery with install links and designs, and the guests' side of the web over them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

from app.accounts import brands
from app.accounts.brands import Brand, BrandDraft
from app.db import Database, Tx
from app.db.identifiers import WalletPassId
from app.loyalty import programmes
from app.loyalty.programmes import Programme, ProgrammeDraft
from app.loyalty.rules import BonusRules, PointRules, Rules, StampRules, Tier, TieredRules
from app.passes import store_designs
from app.passes.content import LocalizedText
from app.passes.layout import BrandValues, Design, merge
from app.passes.press import Press
from app.passes.sealing import Safe
from app.passes.template import Template
from app.places import links as install_links
from app.places import placements, venues
from app.places.links import InstallLink
from app.places.venues import Venue, VenueDraft
from app.sms.book import SmsBook
from app.sms.gateway import Gateway
from app.sms.logins import open_gateway
from app.web.guest import guest_blueprint
from app.web.guest_limits import GuestLimits
from app.web.language import init_languages
from app.web.services import Services
from app.web.sms_receipts import sms_blueprint

NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
SECRET = b"a key for these tests alone, 32 bytes"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0"
    " Mobile Safari/537.36"
)
DESKTOP = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
)
TELEGRAM = "TelegramBot (like TwitterBot)"

_TIERED = TieredRules(
    tiers=(
        Tier(key="guest", name=LocalizedText("Гость", "Guest"), spend_from=0, cashback=500),
        Tier(key="friend", name=LocalizedText("Друг", "Friend"), spend_from=1_000_000, cashback=1000),
    ),
    window_days=365,
    points=PointRules(welcome=30000),
)
_STAMPS = StampRules(for_reward=6, reward=LocalizedText("Кофе", "Coffee"))


@dataclass(slots=True)
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


class _Silence:
    def ring(self) -> None:
        """Nobody sleeps here."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A brand with one venue, one programme, one design and a link for the venue and for a table."""

    brand: Brand
    venue: Venue
    programme: Programme
    design: Design
    link: InstallLink
    table: InstallLink

    @property
    def path(self) -> str:
        return f"/i/{self.link.code}"


@dataclass(frozen=True, slots=True)
class World:
    database: Database
    clock: Clock
    services: Services
    app: Flask
    cafe: Shop
    bakery: Shop
    built: list[WalletPassId] = field(default_factory=list)

    def phone(self, user_agent: str = IPHONE, language: str = "en", address: str = "127.0.0.1") -> Guest:
        client = self.app.test_client(use_cookies=False)
        client.environ_base.update(
            HTTP_USER_AGENT=user_agent, HTTP_ACCEPT_LANGUAGE=language, REMOTE_ADDR=address
        )
        return Guest(client)


@dataclass(frozen=True, slots=True)
class Guest:
    """A browser without scripts or cookies."""

    client: FlaskClient

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.client.get(address, headers=headers)

    def scan(self, shop: Shop, *, shown: bool = True) -> TestResponse:
        """The page behind a code, its pixel loaded: ``shown``."""
        page = self.client.get(shop.path, follow_redirects=True)
        if shown and (pixel := re.search(r'src="([^"]+/seen/[^"]+)"', page.text)):
            self.client.get(pixel[1])
        return page

    def send(self, page: TestResponse, **words: str) -> TestResponse:
        """The page's form as a browser would send it, with ``words`` filled in."""
        return self.client.post(form_action(page), data=form_fields(page) | words)

    def join(self, shop: Shop, **words: str) -> TestResponse:
        """The card's page, after a form with the consent that is needed."""
        sent = self.send(self.scan(shop), **({"data": "yes", "name": "Анна"} | words))
        assert sent.status_code == 303, sent.text
        return self.client.get(sent.location)


def form_fields(page: TestResponse) -> dict[str, str]:
    """The hidden fields of the page's form."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in hidden}


def form_action(page: TestResponse) -> str:
    found = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert found, page.text
    return unescape(found[1])


def gateways_of(book: SmsBook | None, public_url: str) -> dict[str, Gateway]:
    """The gateways of a book's logins, told where we hear them."""
    receipts = f"{public_url}/sms/receipts"
    return {
        name: open_gateway(login, receipts_url=f"{receipts}/{name}")
        for name, login in (book.logins if book else {}).items()
    }


def open_world(
    database: Database,
    *,
    build: Callable[[Tx, WalletPassId], bytes] | None = None,
    limits: GuestLimits | None = None,
    public_url: str = "https://cards.example",
    clock: Clock | None = None,
    sms_book: SmsBook | None = None,
) -> World:
    clock = clock or Clock()
    built: list[WalletPassId] = []

    def note(tx: Tx, pass_id: WalletPassId) -> bytes:
        built.append(pass_id)
        return b"PK a pass"

    with database.write() as tx:
        cafe = _open_shop(tx, "cafe", _TIERED, CAFE, ("rgb(38, 28, 22)", "rgb(255, 248, 235)"))
        bakery = _open_shop(tx, "bakery", _STAMPS, BAKERY, ("rgb(250, 244, 232)", "rgb(64, 44, 20)"))
    services = Services(
        database=database,
        press=Press(f"{public_url}/passkit", clock=clock, safe=Safe.of(SECRET)),
        wakeup=_Silence(),
        clock=clock,
        build_pass=build or note,
        evidence_age=lambda _: timedelta(0),
        public_url=public_url,
        secret_key=SECRET,
        pass_key=SECRET,
        sms_book=sms_book,
        gateways=gateways_of(sms_book, public_url),
    )
    app = Flask("tests.web.guests", static_folder=None)
    init_languages(app)
    app.register_blueprint(guest_blueprint(services, limits=limits))
    app.register_blueprint(sms_blueprint(services))
    return World(database, clock, services, app, cafe, bakery, built)


CAFE: Mapping[str, tuple[str, str]] = {
    "name": ("Кофейня «Зерно»", "Kofeinya Zerno"),
    "programme": ("Карта гостя «Зерна»", "Zerno guest card"),
    "promise": (
        "300 баллов сразу, потом до 10 % с каждой чашки. 1 балл — 1 рубль.",
        "300 points at once, then up to 10% of every cup. 1 point is 1 rouble.",
    ),
    "support": ("Вопросы: +7 495 000-00-00", "Questions: +7 495 000-00-00"),
    "privacy_url": ("https://zerno.example/privacy", "https://zerno.example/en/privacy"),
    "terms_url": ("https://zerno.example/rules", "https://zerno.example/en/rules"),
}
BAKERY: Mapping[str, tuple[str, str]] = {
    "name": ("Булочная № 1", "Bakery <One>"),
    "programme": ("Шестой кофе в подарок", "The sixth coffee is free"),
    "promise": (
        "Штамп за каждый чек; шесть — кофе за наш счёт.",
        "A stamp a receipt; six make a free coffee.",
    ),
    "support": ("", ""),
    "privacy_url": ("", ""),
    "terms_url": ("", ""),
}


def _open_shop(
    tx: Tx,
    slug: str,
    rules: Rules | BonusRules,
    words: Mapping[str, tuple[str, str]],
    colours: tuple[str, str],
) -> Shop:
    texts = {
        language: {key: pair[n] for key, pair in words.items() if key != "name"}
        for n, language in enumerate(("ru", "en"))
    }
    brand = brands.create_brand(
        tx,
        BrandDraft(
            slug=slug, name=words["name"][0 if slug == "cafe" else 1], texts=texts, time_zone="Europe/Moscow",
            currency="RUB", pass_type_identifier=f"pass.example.{slug}", team_identifier="TEAM123456",
            credentials="env:PERKPASS_TEST", language="ru",
        ),
        now=NOW, actor="test",
    )  # fmt: skip
    venue = venues.create_venue(
        tx,
        VenueDraft(brand_id=brand.id, slug="main", name="Main", address="Main street 1"),
        now=NOW,
        actor="test",
    )
    programme = programmes.create_programme(
        tx, ProgrammeDraft(brand_id=brand.id, slug="card", name="Card", rules=rules), now=NOW, actor="test"
    )
    table_7 = placements.create_placement(
        tx, venue_id=venue.id, kind="table", name="7", now=NOW, actor="test"
    )
    make = {"programme_id": programme.id, "venue_id": venue.id}
    return Shop(
        brand,
        venue,
        programme,
        _design(tx, programme, brand, colours),
        install_links.create_link(tx, **make, now=NOW, actor="test"),  # type: ignore[arg-type]
        install_links.create_link(tx, **make, placement_id=table_7.id, now=NOW, actor="test"),  # type: ignore[arg-type]
    )


def _design(tx: Tx, programme: Programme, brand: Brand, colours: tuple[str, str]) -> Design:
    tiered = programme.kind == "tiered"
    document = {
        "backgroundColor": colours[0],
        "foregroundColor": colours[1],
        "labelColor": "rgb(205, 170, 125)" if tiered else "rgb(122, 90, 48)",
        "barcodes": [
            {"format": "PKBarcodeFormatQR", "message": "{card_code}", "messageEncoding": "iso-8859-1"}
        ],
        "storeCard": {
            "headerFields": [{"key": "level", "label": "Level", "value": "{tier}"}] if tiered else [],
            "primaryFields": [
                {"key": "balance", "label": "Balance", "value": "{balance}"}
                if tiered
                else {"key": "stamps", "label": "Stamps", "value": "{stamps}"}
            ],
            "secondaryFields": [
                {"key": "name", "label": "Guest", "value": "{member_name}", "empty": "—"},
            ],
            "backFields": [
                {"key": "latest_message", "label": "News", "value": "{latest_message}", "empty": "—"}
            ],
        },
    }  # fmt: skip
    strings = {
        "ru": {
            "Level": "Уровень",
            "Balance": "Баллы",
            "Stamps": "Штампы",
            "Guest": "Гость",
            "News": "Новости",
        },
        "en": {},
    }
    values = BrandValues(
        organization_name=brand.name,
        description=LocalizedText(f"Карта гостя «{brand.name}»", f"Loyalty card of {brand.name}"),
        pass_type_identifier=brand.pass_type_identifier,
        team_identifier=brand.team_identifier,
        time_zone=brand.time_zone,
        logo_text=LocalizedText("Зерно", "Zerno") if tiered else None,
    )
    files = {"icon.png": _square(29, colours), "icon@2x.png": _square(58, colours)}
    if tiered:
        files |= {"strip.png": _strip(1), "strip@2x.png": _strip(2), "logo.png": _square(32, colours),
                  "logo@2x.png": _square(64, colours)}  # fmt: skip
    return store_designs.add(
        tx, programme_id=programme.id, source=Template("test", document, None, strings, files),  # type: ignore[arg-type]
        layout=merge(document, strings, values), files=files, now=NOW,  # type: ignore[arg-type]
    )  # fmt: skip


def _png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()


@cache
def _square(side: int, colours: tuple[str, str]) -> bytes:
    image = Image.new("RGB", (side, side), colours[0])
    ImageDraw.Draw(image).ellipse((side // 6, side // 6, side * 5 // 6, side * 5 // 6), fill=colours[1])
    return _png(image)


@cache
def _strip(scale: int) -> bytes:
    width, height = 375 * scale, 144 * scale
    image = Image.new("RGB", (width, height), (62, 44, 34))
    for n in range(9):
        x = width * (5 + n) // 12
        ImageDraw.Draw(image).ellipse(
            (x, n * 12, x + height, n * 12 + height), outline=(96 + n * 8, 70, 52), width=6
        )
    return _png(image)
