"""Devices and robots by their User-Agent."""

from __future__ import annotations

import time

import pytest
from werkzeug.datastructures import Headers

from app.web.device_kind import device_kind, is_prefetch, is_robot
from tests.web.guests import ANDROID, DESKTOP, IPHONE, TELEGRAM

CHROME_IOS = IPHONE.replace("Version/18.5", "CriOS/137.0.7151.79")
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15"
YANDEX = DESKTOP.replace("Chrome/137.0.0.0", "Chrome/136.0.0.0 YaBrowser/25.6.0.0")
INSTAGRAM = IPHONE + " Instagram 386.0.0.42.78 (iPhone15,2; iOS 18_5; ru_RU)"


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (IPHONE, "iphone"), (CHROME_IOS, "iphone"), (INSTAGRAM, "iphone"), (ANDROID, "android"),
        (DESKTOP, "desktop"), (MAC, "desktop"), (YANDEX, "desktop"),
        ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X)", "ipad"), ("", "unknown"), ("Other/1", "unknown"),
    ],
)  # fmt: skip
def test_a_device_is_told_by_its_user_agent(user_agent: str, kind: str) -> None:
    assert device_kind(user_agent) == kind


@pytest.mark.parametrize(
    "user_agent",
    [
        TELEGRAM, "", "WhatsApp/2.23.20.0", "facebookexternalhit/1.1", "Viber/13.3", "curl/8.5.0",
        "Googlebot/2.1 (+http://google.com/bot.html)", "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    ],
)  # fmt: skip
def test_a_robot_says_that_it_is_one(user_agent: str) -> None:
    assert is_robot(Headers({"User-Agent": user_agent}))


@pytest.mark.parametrize("user_agent", [IPHONE, CHROME_IOS, INSTAGRAM, ANDROID, DESKTOP, MAC, YANDEX])
def test_a_guest_is_no_robot(user_agent: str) -> None:
    assert not is_robot(Headers({"User-Agent": user_agent}))


def test_a_prefetch_is_told_from_a_visit() -> None:
    assert is_prefetch(Headers({"Sec-Purpose": "prefetch;prerender"}))
    assert is_prefetch(Headers({"X-Moz": "prefetch"}))
    assert not is_prefetch(Headers({"Sec-Fetch-Dest": "document"}))


@pytest.mark.parametrize("word", ["yandex", "yandexa", "bo", "Mozilla/5.0 "])
def test_a_made_up_name_of_any_length_costs_no_time(word: str) -> None:
    user_agent = word * 30_000
    began = time.process_time()
    device_kind(user_agent)
    is_robot(Headers({"User-Agent": user_agent}))
    assert time.process_time() - began < 0.5
