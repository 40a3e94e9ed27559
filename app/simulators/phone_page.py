"""The page that shows a sandbox phone in a browser: lock screen, card, switches.

Live through server-sent events; without JavaScript it reloads by itself every few seconds. Every switch is a
plain form. Only for loopback: requests for another host, or from another site, are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.simulators.android import AndroidPhone
from app.simulators.android_view import android_view, image_address
from app.simulators.http_server import Request, Response, listen, port_of, redirect
from app.simulators.phone import Phone
from app.simulators.phone_view import WORDS, phone_view
from app.simulators.pkpass import Language
from app.simulators.till import Holder, ShownCard

_T = TypeVar("_T")
_HERE = Path(__file__).parent
_KINDS = {
    "phone.css": "text/css; charset=utf-8",
    "phone.js": "text/javascript; charset=utf-8",
    "phone.svg": "image/svg+xml",
}
_KEEP_ALIVE_SECONDS = 15.0
_LANGUAGES: dict[str, Language] = {"ru": "ru", "en": "en"}
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (("content-security-policy", _POLICY), ("referrer-policy", "no-referrer"))

Ring = Callable[[Holder, ShownCard], Awaitable[str]]  # rings a receipt up and says what came of it


class PhonePage:
    """Serves the page for phones that live in the same event loop."""

    def __init__(
        self,
        phones: Sequence[Phone],
        *,
        ring: Ring | None = None,
        androids: Sequence[AndroidPhone] = (),
    ) -> None:
        """``phones`` and ``androids`` may grow while the page runs; without ``ring`` there is no till button.

        A guest who has one of each sees them side by side.
        """
        self._phones, self._androids, self._ring = phones, androids, ring
        self._rung: dict[str, str] = {}  # by the guest's name
        self._greeted: set[str] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        loader = FileSystemLoader(_HERE / "templates")
        self._templates = Environment(
            loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined
        )
        self.url = ""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; the page's address."""
        self._server = await listen(self._answer, host, port)
        self._port = port_of(self._server)
        self.url = f"http://{host}:{self._port}/"
        return self.url

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _answer(self, request: Request) -> Response:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname
        origin = request.headers.get("origin")
        strange = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if host not in ("127.0.0.1", "localhost", "::1") or strange:
            return Response(b"only from this machine", 403)
        match request.method, request.path.strip("/").split("/"):
            case "GET" | "HEAD", [""]:
                return redirect("/phones/0")
            case "GET" | "HEAD", ["static", name] if name in _KINDS:
                return Response((_HERE / "static" / name).read_bytes(), content_type=_KINDS[name])
            case method, ["phones", number, *rest] if number.isdigit():
                return await self._phone(method, int(number), rest, request)
            case method, ["androids", number, *rest] if number.isdigit():
                return await self._android(method, int(number), rest, request)
        return Response(b"no such page", 404)

    async def _phone(self, method: str, number: int, rest: list[str], request: Request) -> Response:
        if number >= len(self._phones):
            return self._waiting(request) if not self._phones else redirect("/phones/0")
        phone = self._phones[number]
        match method, rest:
            case "GET" | "HEAD", []:
                return self._screen(request, number, self._android_of(phone.name))
            case "GET", ["live"]:
                return Response(self._live(), content_type="text/event-stream")
            case "GET", ["cards", place, name] if place.isdigit() and name in ("logo", "strip", "icon"):
                return self._image(phone, int(place), name)
            case "POST", [act]:
                return await self._act(number, phone, act, request)
        return Response(b"no such page", 404)

    async def _android(self, method: str, number: int, rest: list[str], request: Request) -> Response:
        if number >= len(self._androids):
            return redirect("/phones/0")
        phone = self._androids[number]
        beside = next((at for at, each in enumerate(self._phones) if each.name == phone.name), None)
        match method, rest:
            case "GET" | "HEAD", [] if beside is not None:
                return redirect(f"/phones/{beside}")
            case "GET" | "HEAD", []:
                return self._screen(request, None, number)
            case "GET", ["live"]:
                return Response(self._live(), content_type="text/event-stream")
            case "GET", ["cards", place, name] if place.isdigit() and name in ("logo", "hero"):
                cards = phone.cards
                address = image_address(cards[int(place)], name) if int(place) < len(cards) else ""
                image = await phone.image(address) if address else None
                return Response(image, content_type="image/png") if image else Response(b"none", 404)
            case "POST", [act]:
                return await self._act_android(number, phone, act, request)
        return Response(b"no such page", 404)

    def _android_of(self, name: str) -> int | None:
        return next((at for at, each in enumerate(self._androids) if each.name == name), None)

    def _waiting(self, request: Request) -> Response:
        language = _language(request, "ru")
        page = self._templates.get_template("waiting.html").render(words=WORDS[language], language=language)
        return Response(page.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)

    def _screen(self, request: Request, number: int | None, android: int | None) -> Response:
        """One guest's phones: an iPhone, one with Android, or both."""
        phone = None if number is None else self._phones[number]
        other = None if android is None else self._androids[android]
        name = (phone or other).name  # type: ignore[union-attr]  # one of them is there
        if name not in self._greeted:  # afterwards the switch on the page says what is spoken
            self._greeted.add(name)
            for each in self._of(name):
                each.language = _language(request, each.language)
        view = phone_view(number, phone) if phone is not None and number is not None else None
        google = android_view(android, other) if other is not None and android is not None else None
        page = self._templates.get_template("phone.html").render(
            name=name,
            words=(google.words if google else {}) | (view.words if view else {}),
            view=view,
            card=_chosen(view.cards, request) if view else None,
            google=google,
            wallet=_chosen(google.cards, request) if google else None,
            neighbours=[
                (index, each.name, len(each.banners), bool(each.cards), each.offline)
                for index, each in enumerate(self._phones)
            ],
            androids=[
                (index, each.name, sum(notice.outcome == "shown" for notice in each.notices()))
                for index, each in enumerate(self._androids)
                if all(phone.name != each.name for phone in self._phones)
            ],
            can_ring=self._ring is not None,
            rung=self._rung.get(name, ""),
        )
        return Response(page.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)

    def _of(self, name: str) -> list[Phone | AndroidPhone]:
        """The phones of one guest."""
        return [each for each in self._all() if each.name == name]

    def _all(self) -> list[Phone | AndroidPhone]:
        return [*self._phones, *self._androids]

    async def _live(self) -> AsyncGenerator[bytes, None]:
        changed = asyncio.Event()
        observers = [each.observers for each in self._all()]
        for watched in observers:
            watched.append(changed.set)
        try:
            yield b"retry: 1000\n\n"
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _KEEP_ALIVE_SECONDS)
                changed.clear()
                yield b"event: screen\ndata: 1\n\n"
                await asyncio.sleep(0.2)  # a burst of changes is one redraw
        finally:
            for watched in observers:
                watched.remove(changed.set)

    @staticmethod
    def _image(phone: Phone, place: int, name: str) -> Response:
        cards = list(phone.cards.values())
        image = cards[place].wallet_pass.image(name, phone.language) if place < len(cards) else None
        return Response(image, content_type="image/png") if image else Response(b"none", 404)

    async def _act(self, number: int, phone: Phone, act: str, request: Request) -> Response:
        place = _place(request.form())
        cards = list(phone.cards.values())
        card = cards[place] if place < len(cards) else None
        match act:
            case "network":
                await phone.switch_network(on=phone.offline)
            case "language":
                self._switch_language(phone)
            case "refresh" if card:
                phone.pull_to_refresh(card)
            case "updates" if card:
                phone.switch_updates(card, on=not card.updates_on)
            case "delete" if card:
                phone.delete(card)
                place = 0
            case "receipt" if card:
                await self._ring_up(phone, card)
        return redirect(f"/phones/{number}?card={place}")

    async def _act_android(self, number: int, phone: AndroidPhone, act: str, request: Request) -> Response:
        place = _place(request.form())
        cards = phone.cards
        card = cards[place] if place < len(cards) else None
        match act:
            case "language":
                self._switch_language(phone)
            case "notify" if card:
                phone.mute(card, muted=not phone.is_muted(card))
            case "delete" if card:
                phone.remove(card)
                place = 0
            case "receipt" if card:
                await self._ring_up(phone, card)
        return redirect(f"/androids/{number}?card={place}")

    def _switch_language(self, phone: Phone | AndroidPhone) -> None:
        language: Language = "en" if phone.language == "ru" else "ru"
        for each in self._of(phone.name):
            each.language = language
            each.show()

    async def _ring_up(self, phone: Phone | AndroidPhone, card: ShownCard) -> None:
        if self._ring is not None:
            self._rung[phone.name] = await self._ring(phone, card)
            phone.show()


def _place(query: Mapping[str, str]) -> int:
    """Which card is meant."""
    asked = query.get("card", "")
    return int(asked) if asked.isdigit() else 0


def _chosen(cards: Sequence[_T], request: Request) -> _T | None:
    """The card that the address names, None where there is none."""
    place = _place(request.query)
    return cards[place] if place < len(cards) else None


def _language(request: Request, otherwise: Language) -> Language:
    """What the browser of who looks prefers (Accept-Language, RFC 9110), of the two that phones speak."""
    best, weight = otherwise, 0.0
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag, _, parameter = part.strip().partition(";q=")
        with suppress(ValueError):
            preference = float(parameter or 1)
            if (spoken := tag[:2]) in _LANGUAGES and tag[2:3] in ("", "-") and preference > weight:
                best, weight = _LANGUAGES[spoken], preference
    return best
