"""Whose window a guest reads in, told by its User-Agent: an app's own, or a browser; and what it can do.

A link that is opened inside an app is shown in that app's window. On an iPhone such a window drops a .pkpass
without a word, so the guest taps and nothing happens; on Android the card's page goes when the window is
shut. Of the browsers on iOS only those whose makers built it in hand a pass to Wallet. A window that names
itself as Safari does (some apps show Safari's own view) is taken for Safari, which it mostly is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.web.device_kind import MOST_CHARACTERS, device_kind

# As the apps sign their windows; the strings they were read from are in tests/web/user_agents.py.
_APPS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("Instagram", re.compile(r"\bInstagram\b")),
    ("Threads", re.compile(r"\bBarcelona\b")),
    ("Messenger", re.compile(r"\bFBAN/Messenger|\bOrca-Android\b")),
    ("Facebook", re.compile(r"\bFB(?:AN|AV|_IAB)\b")),
    ("VK", re.compile(r"\bcom\.vk\.vkclient\b|\bVK(?:AndroidApp|iOSApp|Client)\b", re.IGNORECASE)),
    ("OK", re.compile(r"\bOKApp\b|\bOdnoklassniki\b")),
    ("Telegram", re.compile(r"\bTelegram\b")),
    ("WhatsApp", re.compile(r"\bWhatsApp/")),
    ("Viber", re.compile(r"\bViber/")),
    ("WeChat", re.compile(r"\bMicroMessenger/")),
    ("TikTok", re.compile(r"\bmusical_ly_|\bBytedanceWebview\b|\bTikTok\b|\btrill_")),
    ("X", re.compile(r"\bTwitter for i|\bTwitterAndroid\b")),
    ("LinkedIn", re.compile(r"\bLinkedInApp\b")),
    ("Snapchat", re.compile(r"\bSnapchat/")),
    ("Pinterest", re.compile(r"\[Pinterest/|\bPinterest for\b")),
    ("LINE", re.compile(r"\bLine/")),
    ("Yandex", re.compile(r"\bYaApp_|\bYaSearchBrowser\b")),
    ("Google", re.compile(r"\bGSA/")),
)
_PASS_OPENERS = re.compile(
    r"\b(?:CriOS|FxiOS|EdgiOS|DuckDuckGo|Ddg)/|\bVersion/[\d.]+ Mobile/\w+ Safari/[\d.]+$"
)
"""Chromium for iOS ("PassKitTabHelper") and what is made of it, Firefox ("OpenPassBookHelper"), DuckDuckGo,
and who says nothing but that it is Safari."""
_ANDROID_VIEW = re.compile(r"; wv\)")


@dataclass(frozen=True, slots=True)
class BrowserWindow:
    """Where the page is shown."""

    app: str  # whose window it is, as people call it; empty for a browser, and for an app that does not say
    in_app: bool  # a window of an app: it goes with the app and has no home screen to put anything on
    keeps_cards: bool  # an iPhone's hands a pass to Wallet, any other can be come back to


def browser_window(user_agent: str) -> BrowserWindow:
    """What a page with this User-Agent is shown in."""
    words = user_agent[:MOST_CHARACTERS]
    kind = device_kind(words)
    app = next((name for name, pattern in _APPS if pattern.search(words)), "")
    if kind == "iphone":
        in_app = bool(app) or "Safari/" not in words
        return BrowserWindow(app, in_app, keeps_cards=not in_app and bool(_PASS_OPENERS.search(words)))
    if kind == "android":
        in_app = bool(app) or _ANDROID_VIEW.search(words) is not None
        return BrowserWindow(app, in_app, keeps_cards=not in_app)
    return BrowserWindow("", in_app=False, keeps_cards=True)  # the card goes to a phone from here
