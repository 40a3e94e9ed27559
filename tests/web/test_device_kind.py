"""Devices and robots by their User-Agent."""

from __future__ import annotations

import time

import pytest
from werkzeug.datastructures import Headers

from app.web.browsers import browser_window
from app.web.device_kind import device_kind, is_prefetch, is_robot, says_mac
from tests.web.guests import TELEGRAM
from tests.web.user_agents import APPS, BROWSERS, Known

KNOWN = [pytest.param(known, id=known.name) for known in BROWSERS + APPS]


@pytest.mark.parametrize("known", KNOWN)
def test_a_device_and_whose_window_it_is_are_told_by_the_user_agent(known: Known) -> None:
    assert device_kind(known.user_agent) == known.kind
    window = browser_window(known.user_agent)
    assert (window.app, window.in_app, window.keeps_cards) == (known.app, known.in_app, known.keeps_cards)
    assert says_mac(known.user_agent) == ("Mac" in known.name)


@pytest.mark.parametrize("user_agent", ["", "Other/1", "Mozilla/5.0"])
def test_what_does_not_say_is_unknown_and_no_app(user_agent: str) -> None:
    assert device_kind(user_agent) == "unknown"
    assert not browser_window(user_agent).in_app


@pytest.mark.parametrize(
    "user_agent",
    [
        TELEGRAM, "", "WhatsApp/2.23.20.0", "Pinterest/0.2 (+http://www.pinterest.com/bot.html)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "facebookexternalhit/1.1", "Viber/13.3", "curl/8.5.0",
        "Googlebot/2.1 (+http://google.com/bot.html)", "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    ],
)  # fmt: skip
def test_a_robot_says_that_it_is_one(user_agent: str) -> None:
    assert is_robot(Headers({"User-Agent": user_agent}))


@pytest.mark.parametrize("known", KNOWN)
def test_a_guest_is_no_robot_whatever_the_app(known: Known) -> None:
    assert not is_robot(Headers({"User-Agent": known.user_agent}))


def test_a_prefetch_is_told_from_a_visit() -> None:
    assert is_prefetch(Headers({"Sec-Purpose": "prefetch;prerender"}))
    assert is_prefetch(Headers({"X-Moz": "prefetch"}))
    assert not is_prefetch(Headers({"Sec-Fetch-Dest": "document"}))


@pytest.mark.parametrize("word", ["yandex", "yandexa", "bo", "Mozilla/5.0 "])
def test_a_made_up_name_of_any_length_costs_no_time(word: str) -> None:
    user_agent = word * 30_000
    began = time.process_time()
    device_kind(user_agent)
    browser_window(user_agent)
    is_robot(Headers({"User-Agent": user_agent}))
    assert time.process_time() - began < 0.5
