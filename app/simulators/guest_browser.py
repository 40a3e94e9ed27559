"""A guest's Safari: opens an install link, fills the form it finds, taps the Apple Wallet button."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urljoin

import httpx

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
PKPASS = "application/vnd.apple.pkpass"
LANGUAGES = {"ru": "ru-RU,ru;q=0.9", "en": "en-GB,en;q=0.9"}


class InstallFailed(Exception):
    """The page did not lead to a card; says where it ended."""


@dataclass(slots=True)
class Form:
    """A form as it stands in the page."""

    action: str
    method: str
    hidden: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    required_boxes: dict[str, str] = field(default_factory=dict)
    optional_boxes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Link:
    """A link with its words."""

    href: str
    words: str = ""


class Page(HTMLParser):
    """Forms, links, pictures and words of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[Link] = []
        self.resources: list[str] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._link: Link | None = None
        self.feed(markup)

    def text(self) -> str:
        """All its words."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What HTMLParser found; so are the next two."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None:
            self._input(self._form, attributes)
        elif tag == "a" and attributes.get("href"):
            self._link = Link(attributes["href"])
            self.links.append(self._link)
        elif tag == "img" and attributes.get("src"):
            self.resources.append(attributes["src"])
            if self._link is not None:
                self._link.words += f" {attributes.get('alt', '')}"
        elif tag == "link" and "stylesheet" in attributes.get("rel", ""):
            self.resources.append(attributes.get("href", ""))

    def _input(self, form: Form, attributes: dict[str, str]) -> None:
        name, value = attributes.get("name", ""), attributes.get("value", "")
        match attributes.get("type", "text"):
            case "hidden":
                form.hidden[name] = value
            case "checkbox":
                boxes = form.required_boxes if "required" in attributes else form.optional_boxes
                boxes[name] = value or "on"
            case "text":
                form.texts.append(name)
            case "tel":
                form.phones.append(name)

    def handle_endtag(self, tag: str) -> None:
        """An end."""
        if tag == "form":
            self._form = None
        elif tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        """Words."""
        self.words.append(data)
        if self._link is not None:
            self._link.words += data


@dataclass(frozen=True, slots=True)
class Guest:
    """Who fills the form, and how."""

    name: str = ""
    phone: str = "+7 900 000-00-00"
    optional_consents: bool = True
    language: Literal["ru", "en"] = "ru"


@dataclass(frozen=True, slots=True)
class Found:
    """Where the walk ended."""

    data: bytes  # the .pkpass
    page: str  # the address of the page with the button: the guest's own


async def fetch_pass(client: httpx.AsyncClient, link: str, guest: Guest) -> bytes:
    """The .pkpass that an install link leads to; raises as :func:`find_pass`."""
    return (await find_pass(client, link, guest)).data


async def find_pass(client: httpx.AsyncClient, link: str, guest: Guest) -> Found:
    """Walk from the install link to the downloaded .pkpass.

    Raises :class:`InstallFailed` where the page leads nowhere, and httpx's errors where nobody answers.
    """
    headers = {"user-agent": IPHONE, "accept-language": LANGUAGES[guest.language]}
    answer = await client.get(link, headers=headers, follow_redirects=True)
    here = link
    for _ in range(6):
        if answer.headers.get("content-type", "").startswith(PKPASS) and answer.status_code == 200:
            return Found(answer.content, here)
        page = Page(answer.text)
        here = str(answer.url)
        if answer.status_code != 200:
            raise InstallFailed(f"{here}: {answer.status_code}: {page.text()[:300]}")
        await load_resources(client, page, here, headers)
        if wallet := next((link for link in page.links if "Wallet" in link.words), None):
            answer = await client.get(urljoin(here, wallet.href), headers=headers, follow_redirects=True)
        elif form := next((form for form in page.forms if form.method == "post"), None):
            target = urljoin(here, form.action)
            answer = await client.post(
                target, data=filled(form, guest), headers=headers, follow_redirects=True
            )
        else:
            raise InstallFailed(f"{here}: neither a form nor an Apple Wallet button")
    raise InstallFailed(f"{answer.url}: the page goes round in circles")


def filled(form: Form, guest: Guest) -> dict[str, str]:
    """What a guest sends with this form."""
    names = dict.fromkeys(form.texts, guest.name) | dict.fromkeys(form.phones, guest.phone)
    optional = form.optional_boxes if guest.optional_consents else {}
    return form.hidden | names | form.required_boxes | optional


async def load_resources(client: httpx.AsyncClient, page: Page, here: str, headers: dict[str, str]) -> None:
    """Pictures and styles, as a browser fetches them."""
    for resource in page.resources:
        address = urljoin(here, resource)
        if address.startswith("http"):
            await client.get(address, headers=headers)
