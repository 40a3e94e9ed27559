"""A device in words, told by its User-Agent: enough for its owner to know it again."""

from __future__ import annotations

import re

from flask_babel import gettext as _

_SYSTEMS = (
    ("iPhone", re.compile(r"\biPhone\b")), ("iPad", re.compile(r"\biPad\b")),
    ("Android", re.compile(r"\bAndroid\b")), ("Windows", re.compile(r"\bWindows NT\b")),
    ("Mac", re.compile(r"\bMacintosh\b")), ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)  # fmt: skip
_BROWSERS = (
    ("Yandex", re.compile(r"\bYaBrowser/")), ("Edge", re.compile(r"\bEdg(?:iOS|A)?/")),
    ("Opera", re.compile(r"\bOPR/")), ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")), ("Chrome", re.compile(r"\b(?:Chrome|CriOS)/")),
    ("Safari", re.compile(r"\bSafari/")),
)  # fmt: skip


def device_words(user_agent: str) -> str:
    """Like "Safari, iPhone"."""
    known = [
        next((name for name, pattern in patterns if pattern.search(user_agent)), "")
        for patterns in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(word for word in known if word) or _("Some other device")


def is_handheld(user_agent: str) -> bool:
    """Whether it is drawn as a phone."""
    return re.search(r"\b(iPhone|iPad|Android)\b", user_agent) is not None
