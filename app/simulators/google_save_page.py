"""What a guest sees behind a save link: the card, one button, and the vague words of a failure."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from html import escape
from urllib.parse import urlsplit

import httpx

from app.simulators.google_callbacks import Messenger
from app.simulators.google_errors import Refused, invalid
from app.simulators.google_links import Link, SaveLinks, may_save
from app.simulators.google_resources import Body
from app.simulators.google_schema import messages
from app.simulators.google_state import State
from app.simulators.http_server import Request, Response

GUEST = "guest@gmail.example"
_WORDS = {
    "en": ("Add to Google Wallet", "Added to Google Wallet", "Something went wrong. Please try again."),
    "ru": (
        "Добавить в Google Кошелек",
        "Добавлено в Google Кошелек",
        "Что-то пошло не так. Повторите попытку.",
    ),
}
_PAGE = """\
<!doctype html><html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:16px system-ui;max-width:24rem;margin:2rem auto;padding:0 1rem}}
.card{{border-radius:16px;padding:16px;border:1px solid #8884;margin:0 0 1rem}}
.card *{{margin:0 0 .5rem;background:#fffd;border-radius:4px;padding:0 .25rem;color:#202124}}
button{{font:inherit;background:#1f1f1f;color:#fff;border:0;border-radius:99px;padding:.8rem 1.5rem}}</style>
<body>{content}</body></html>
"""


class SavePage:
    """``/gp/v/save/<jwt>``: GET shows the card, POST saves it."""

    def __init__(self, state: State, links: SaveLinks, messenger: Messenger) -> None:
        self.state, self.links, self.messenger = state, links, messenger

    async def answer(self, request: Request, token: str) -> Response:
        """The page; 400 with Google's vague words where the link does not do, the fault as a comment."""
        language = "ru" if request.headers.get("accept-language", "").startswith("ru") else "en"
        button, added, wrong = _WORDS[language]
        try:
            link = await self.judged(token)
            if request.method == "POST":
                user = request.form().get("user") or GUEST
                self.save(link, user)
                words = f'<h1 id="saved">{added}</h1>' + "".join(self._cards(link))
                return _page(language, added, words)
        except Refused as refused:
            fault = escape(refused.message.replace("--", "—"))
            return _page(language, wrong, f'<h1 id="failed">{wrong}</h1><!-- {fault} -->', 400)
        form = (
            f'<form method="post"><p><label>Google <input name="user" value="{GUEST}"></label></p>'
            f'<button name="save" value="1">{button}</button></form>'
        )
        return _page(language, button, "".join(self._cards(link)) + form)

    async def judged(self, token: str) -> Link:
        """What the link names, images looked at; raises Refused."""
        link = self.links.judge(token)
        await asyncio.gather(*(_fetched(uri) for uri in self._images(link)))
        return link

    def save(self, link: Link, user: str) -> None:
        """The guest taps. Raises Refused; saving a card twice is no event."""
        may_save(self.state, link, user)
        self.links.store(link)
        for identifier in link.objects:
            self.hold(identifier, user)

    def hold(self, identifier: str, user: str) -> None:
        """The card is in this guest's wallet from now on; raises Refused (404)."""
        self.state.resources.get("object", identifier)
        holders = self.state.resources.holders.setdefault(identifier, [])
        if user not in holders:
            holders.append(user)
            self.messenger.tell("save", identifier)
            self.state.changed()

    def remove(self, identifier: str, user: str) -> None:
        """The guest deletes the card; raises Refused (404) where it is not held."""
        holders = self.state.resources.holders.get(identifier, [])
        if user not in holders:
            raise Refused(404, f"{user} does not hold {identifier}.")
        holders.remove(user)
        self.messenger.tell("del", identifier)
        self.state.changed()

    def _bodies(self, link: Link) -> Iterator[tuple[Body, Body]]:
        """Each card with its class, as they will be."""
        resources = self.state.resources
        classes = resources.classes | {body["id"]: body for kind, body in link.new if kind == "class"}
        objects = {body["id"]: body for kind, body in link.new if kind == "object"} | resources.objects
        for identifier in link.objects:
            yield objects[identifier], classes[objects[identifier]["classId"]]

    def _images(self, link: Link) -> set[str]:
        return {
            part["sourceUri"]["uri"]
            for pair in self._bodies(link)
            for body, schema in zip(pair, ("LoyaltyObject", "LoyaltyClass"), strict=True)
            for inner, _, part in messages(body, schema)
            if inner == "Image" and "sourceUri" in part
        }

    def _cards(self, link: Link) -> Iterator[str]:
        for card, of in self._bodies(link):
            balance = card.get("loyaltyPoints", {}).get("balance", {})
            points = " ".join(str(value) for value in balance.values() if not isinstance(value, dict))
            lines = (of["issuerName"], of.get("rewardsTier"), points, card.get("accountName"))
            told = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
            colour = escape(of.get("hexBackgroundColor", "#fff"))
            name = escape(of["programName"])
            yield f'<div class="card" style="background:{colour}"><h2>{name}</h2>{told}</div>'


async def _fetched(uri: str) -> None:
    """Images on this machine must be there, as Google fetches them; what lies elsewhere is believed."""
    if urlsplit(uri).hostname not in {"127.0.0.1", "localhost"}:
        return
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=10) as client:
        try:
            answer = await client.get(uri)
        except httpx.HTTPError:
            raise invalid(f"{uri}: the image cannot be fetched.") from None
    if answer.status_code != 200 or answer.headers.get("content-type") not in {"image/png", "image/jpeg"}:
        raise invalid(f"{uri}: no image, HTTP {answer.status_code}.")


def _page(language: str, title: str, content: str, status: int = 200) -> Response:
    page = _PAGE.format(language=language, title=title, content=content)
    return Response(page.encode(), status, "text/html; charset=utf-8")
