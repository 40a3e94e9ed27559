"""What looks at a link without a guest leaves no trace in the funnel: previews, crawlers, prefetches.

The User-Agents are those that the programs' makers publish, or that servers see of them.
"""

from __future__ import annotations

import pytest

from app.db import Database
from app.places import funnel
from app.places.funnel import Counts
from tests.web.guests import ANDROID, IPHONE, NOW, World, open_world
from tests.web.user_agents import APPS, BROWSERS

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko)"
ROBOTS = {
    "WhatsApp on Android": "WhatsApp/2.23.20.0 A",
    "WhatsApp on iOS": "WhatsApp/2.24.10.75 i",
    "WhatsApp on a desktop": "WhatsApp/2.2442.7 W",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Facebook, Instagram, Messenger": (
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
    ),
    "Facebook's second": "facebookcatalog/1.0",
    "Meta": "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "Meta, for a person": (
        "meta-externalfetcher/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)"
    ),
    "iMessage": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko)"
        " Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
    ),
    "VK": "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Odnoklassniki": "Mozilla/5.0 (compatible; OdklBot/1.0 like Linux; klass@odnoklassniki.ru)",
    "Viber": "Viber/13.3.0.5",
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack's pictures": "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Skype, Teams": (
        f"Mozilla/5.0 (Windows NT 6.1; WOW64) {_CHROME} Chrome/38.0.2125.111 Safari/537.36"
        " SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"
    ),
    "LinkedIn": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "X": "Twitterbot/1.0",
    "Pinterest": "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)",
    "Line": "facebookexternalhit/1.1;line-poker/1.0",
    "Kakao": "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    "Googlebot on a phone": (
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {_CHROME} Chrome/137.0.0.0 Mobile"
        " Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    ),
    "Google's inspection": "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
    "Google's other": "GoogleOther",
    "Google reading aloud": (
        f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Chrome/137.0.0.0 Mobile Safari/537.36"
        " (compatible; Google-Read-Aloud; +https://support.google.com/webmasters/answer/1061943)"
    ),
    "Google's ads": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 14_7_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/14.1.2 Mobile/15E148 Safari/604.1 (compatible; AdsBot-Google-Mobile;"
        " +http://www.google.com/mobile/adsbot.html)"
    ),
    "Yandex": "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Yandex on a phone": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 8_1 like Mac OS X) AppleWebKit/600.1.4 (KHTML, like Gecko)"
        " Version/8.0 Mobile/12B411 Safari/600.1.4 (compatible; YandexMobileBot/3.0; +http://yandex.com/bots)"
    ),
    "Yandex's pictures": "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)",
    "Yandex Metrica": "Mozilla/5.0 (compatible; YandexMetrika/2.0; +http://yandex.com/bots)",
    "Mail.ru": "Mozilla/5.0 (compatible; Linux x86_64; Mail.RU_Bot/2.0; +https://help.mail.ru/webmaster/)",
    "Bing": (
        f"Mozilla/5.0 {_CHROME}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
        " Chrome/116.0.1938.76 Safari/537.36"
    ),
    "Apple": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"
    ),
    "OpenAI": f"Mozilla/5.0 {_CHROME}; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "OpenAI, for a person": (f"Mozilla/5.0 {_CHROME}; compatible; ChatGPT-User/1.0; +https://openai.com/bot"),
    "Anthropic": f"Mozilla/5.0 {_CHROME}; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    "ByteDance": "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    "Ahrefs": "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "UptimeRobot": "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "curl": "curl/8.5.0",
    "wget": "Wget/1.21.4",
    "Python": "python-requests/2.32.3",
    "Python's own": "Python-urllib/3.11",
    "httpx": "python-httpx/0.28.1",
    "aiohttp": "Python/3.11 aiohttp/3.10.5",
    "Go": "Go-http-client/2.0",
    "Java": "Apache-HttpClient/4.5.14 (Java/17.0.9)",
    "okhttp": "okhttp/4.12.0",
    "Node": "axios/1.7.2",
    "Postman": "PostmanRuntime/7.39.0",
    "nobody": "",
}


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def _total(world: World) -> Counts:
    today = funnel.period(NOW.date(), NOW.date())
    with world.database.read() as tx:
        return funnel.funnel(tx, world.cafe.brand.id, by="venue", period=today, now=NOW).total.now


def test_no_robot_is_a_guest(world: World) -> None:
    counted, scans = [], 0
    for name, user_agent in ROBOTS.items():
        answer = world.phone(user_agent=user_agent).scan(world.cafe)
        assert answer.status_code == 200, name  # a preview needs the page
        if _total(world).scan > scans:
            counted.append(name)
            scans += 1
    assert counted == []


def test_asking_for_the_headers_or_ahead_of_the_guest_is_no_visit(world: World) -> None:
    for user_agent in (IPHONE, ANDROID):
        guest = world.phone(user_agent=user_agent)
        guest.client.head(world.cafe.path)
        for ahead in ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
            guest.client.get(world.cafe.path, headers=ahead)
        scanned = guest.client.get(world.cafe.path)
        guest.client.get(scanned.location, headers={"Sec-Purpose": "prefetch"})
        guest.client.head(scanned.location)
    assert _total(world) == Counts(scan=2)


def test_every_guest_counts_whatever_the_browser(world: World) -> None:
    for known in BROWSERS + APPS:
        world.phone(user_agent=known.user_agent).scan(world.cafe)
    total = _total(world)
    guests = len(BROWSERS + APPS)
    assert (total.scan, total.page) == (guests, guests)
    assert total.in_app > 0
