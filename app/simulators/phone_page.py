"""The page that shows a sandbox phone in a browser: lock screen, card, switches.

Live through server-sent events; without JavaScript it reloads by itself every few seconds. Every switch is a
plain form. Only for loopback: requests for another host, or from another site, are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.simulators.http_server import Request, Response, listen, port_of, redirect
from app.simulators.phone import Card, Phone
from app.simulators.phone_view import WORDS, phone_view
from app.simulators.pkpass import Language

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

Ring = Callable[[Phone, Card], Awaitable[str]]  # rings a receipt up and says what came of it


class PhonePage:
    """Serves the page for phones that live in the same event loop."""

    def __init__(self, phones: Sequence[Phone], *, ring: Ring | None = None) -> None:
        """``phones`` may grow while the page runs; without ``ring`` there is no till button."""
        self._phones, self._ring = phones, ring
        self._rung: dict[int, str] = {}
        self._greeted: set[int] = set()
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
        return Response(b"no such page", 404)

    async def _phone(self, method: str, number: int, rest: list[str], request: Request) -> Response:
        if number >= len(self._phones):
            return self._waiting(request) if not self._phones else redirect("/phones/0")
        phone = self._phones[number]
        match method, rest:
            case "GET" | "HEAD", []:
                return self._screen(number, phone, request)
            case "GET", ["live"]:
                return Response(self._live(phone), content_type="text/event-stream")
            case "GET", ["cards", place, name] if place.isdigit() and name in ("logo", "strip", "icon"):
                return self._image(phone, int(place), name)
            case "POST", [act]:
                return await self._act(number, phone, act, request)
        return Response(b"no such page", 404)

    def _waiting(self, request: Request) -> Response:
        language = _language(request, "ru")
        page = self._templates.get_template("waiting.html").render(words=WORDS[language], language=language)
        return Response(page.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)

    def _screen(self, number: int, phone: Phone, request: Request) -> Response:
        if number not in self._greeted:  # afterwards the switch on the page says what is spoken
            self._greeted.add(number)
            phone.language = _language(request, phone.language)
        view = phone_view(number, phone)
        asked = request.query.get("card", "")
        place = int(asked) if asked.isdigit() else 0
        page = self._templates.get_template("phone.html").render(
            view=view,
            words=view.words,
            card=view.cards[place] if place < len(view.cards) else None,
            neighbours=[
                (index, each.name, len(each.banners), bool(each.cards), each.offline)
                for index, each in enumerate(self._phones)
            ],
            can_ring=self._ring is not None,
            rung=self._rung.get(number, ""),
        )
        return Response(page.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)

    async def _live(self, phone: Phone) -> AsyncGenerator[bytes, None]:
        changed = asyncio.Event()
        observers = [each.observers for each in self._phones]
        for watched in observers:
            watched.append(changed.set)
        try:
            yield b"retry: 1000\n\n"
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _KEEP_ALIVE_SECONDS)
                changed.clear()
                yield b"event: screen\ndata: %d\n\n" % len(phone.banners)
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
        form = request.form()
        cards = list(phone.cards.values())
        place = int(form.get("card", "0") or 0)
        card = cards[place] if place < len(cards) else None
        match act:
            case "network":
                await phone.switch_network(on=phone.offline)
            case "language":
                phone.language = "en" if phone.language == "ru" else "ru"
                phone.show()
            case "refresh" if card:
                phone.pull_to_refresh(card)
            case "updates" if card:
                phone.switch_updates(card, on=not card.updates_on)
            case "delete" if card:
                phone.delete(card)
                place = 0
            case "receipt" if card and self._ring:
                self._rung[number] = await self._ring(phone, card)
                phone.show()
        return redirect(f"/phones/{number}?card={place}")


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
