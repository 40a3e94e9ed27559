"""What a request came from, told by its User-Agent: enough to offer the right button, never to identify."""

from __future__ import annotations

import re

from werkzeug.datastructures import Headers

from app.places.visits import DeviceKind

# In this order: an iPad of today says "Macintosh" and is served as a desktop, which suits it, since it has
# no Wallet: it shows a code for the phone. Android is told before Linux, whose name it carries.
_KINDS: tuple[tuple[DeviceKind, re.Pattern[str]], ...] = (
    ("iphone", re.compile(r"\b(iPhone|iPod)\b")),
    ("ipad", re.compile(r"\biPad\b")),
    ("android", re.compile(r"\bAndroid\b")),
    ("desktop", re.compile(r"\b(Windows NT|Macintosh|X11|CrOS)\b")),
)

# Crawlers, the link previews of messengers, and programs' libraries. They say who they are; who does not is
# counted as a guest.
# A messenger's preview names nothing but itself; a guest in its own window names the phone first.
_ROBOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|facebookcatalog|meta-external|vkshare"
    r"|skypeuri|embedly|imgproxy|mail\.ru_bot|google-inspection|google-read-aloud|googleother|chatgpt-user"
    r"|yandex(?!search|\.browser)[a-z]*/|monitor"
    r"|^(?:whatsapp|viber|pinterest|curl|wget|python|python-[a-z]+|go-http-client|apache-httpclient|okhttp"
    r"|axios|postmanruntime|java|dart|node-fetch|libwww-perl)/",
    re.IGNORECASE,
)

_MAC = re.compile(r"\bMacintosh\b")

MOST_CHARACTERS = 512
"""Of a User-Agent that are looked at: a pattern's time grows with the square of what somebody made up."""


def device_kind(user_agent: str) -> DeviceKind:
    """The kind of device that sends this User-Agent; "unknown" where it does not say."""
    for kind, pattern in _KINDS:
        if pattern.search(user_agent[:MOST_CHARACTERS]):
            return kind
    return "unknown"


def says_mac(user_agent: str) -> bool:
    """A Mac, which passes a card on to its owner's iPhone, or an iPad that says it is one, which does not."""
    return _MAC.search(user_agent[:MOST_CHARACTERS]) is not None


def is_robot(headers: Headers) -> bool:
    """Whether nobody looks at the answer: crawlers, messengers' link previews, and the nameless."""
    user_agent = headers.get("User-Agent", "").strip()[:MOST_CHARACTERS]
    return not user_agent or _ROBOT.search(user_agent) is not None


def is_prefetch(headers: Headers) -> bool:
    """Whether a browser asks before its user did (Fetch, "Sec-Purpose"; older browsers: Purpose, X-Moz)."""
    purpose = " ".join(headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return "prefetch" in purpose.lower() or "preview" in purpose.lower()
