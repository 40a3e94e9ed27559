"""The main job, told aloud: a guest installs a card, a receipt changes it, the phone shows it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from app.simulators.apns import RunningApns
from app.simulators.guest_browser import IPHONE, Guest
from app.simulators.phone import Card, Phone
from tests.flows.conftest import Phones
from tests.flows.installation import Installation
from tests.flows.load import code_of

_T = TypeVar("_T")
Tell = Callable[[Callable[[Phones], Awaitable[None]]], None]


def now_on(phone: Phone, card: Card) -> Card:
    """The card as the phone has it now."""
    return phone.cards[card.key]


def shown(phone: Phone, card: Card, label: str, language: Any = "en") -> str:
    """What a field with this label says."""
    fields = now_on(phone, card).wallet_pass.fields(language)
    return next(field.value for field in fields if field.label == label)


async def eventually(condition: Callable[[], _T], what: str, seconds: float = 20) -> _T:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.02)
    return found


async def eventually_shows(phone: Phone, card: Card, points: str) -> None:
    await eventually(lambda: shown(phone, card, "Points") == points, f"{points} points")


async def ring_up(installation: Installation, card: Card, amount: int, **more: Any) -> dict[str, Any]:
    return await asyncio.to_thread(installation.ring_up, code_of(card), amount, **more)


def test_a_guest_scans_installs_pays_and_sees_the_card_change(installation: Installation, tell: Tell) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest(name="Мария"))
        await phone.settle()
        assert card.registered
        assert card.wallet_pass.document["webServiceURL"] == f"{installation.url}/passkit"
        assert shown(phone, card, "Points") == "100"
        assert shown(phone, card, "Tier") == "Guest"

        answer = await ring_up(installation, card, 20_000_00)
        assert answer["level_up"]
        assert answer["card"]["balance"] == 700_00

        await eventually(lambda: shown(phone, card, "Points") == "700", "the new balance")
        assert shown(phone, card, "Tier") == "Friend"
        assert shown(phone, card, "Уровень", "ru") == "Друг"
        (banner,) = phone.banners
        assert not banner.generic
        assert "600" in banner.text
        assert "Друг" in banner.text
        assert phone.log_lines == []

    tell(story)


def test_a_second_phone_of_the_guest_gets_the_same_card_and_the_same_news(
    installation: Installation, tell: Tell
) -> None:
    async def story(phones: Phones) -> None:
        first, second = await phones.new("first"), await phones.new("second")
        async with httpx.AsyncClient() as browser:
            card_page = await _enrol(browser, installation.link())
        card = await first.install_from_page(card_page, Guest())
        same = await second.install_from_page(card_page, Guest())
        assert card.key == same.key
        await first.settle()
        await second.settle()
        await ring_up(installation, card, 1_000_00)
        for phone in (first, second):
            await eventually_shows(phone, card, "130")
            assert len(phone.banners) == 1

    tell(story)


def test_a_moved_design_reaches_phones_silently(installation: Installation, tell: Tell) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest())
        await phone.settle()
        before = card.wallet_pass.document["backgroundColor"]
        present = _newest(installation)
        await asyncio.to_thread(
            installation.perkpass, "design", "publish", "pechka", "club", "pass_templates/tiered_card",
            "--colour", "backgroundColor", "rgb(1, 60, 90)", "--rules-ru", "Правила", "--rules-en", "Rules",
        )  # fmt: skip
        newest = _newest(installation)
        assert now_on(phone, card).wallet_pass.document["backgroundColor"] == before
        await asyncio.to_thread(
            installation.perkpass,
            "design",
            "move",
            "pechka",
            "club",
            "--from",
            str(present),
            "--to",
            str(newest),
        )
        await eventually(
            lambda: now_on(phone, card).wallet_pass.document["backgroundColor"] == "rgb(1, 60, 90)",
            "the colour",
        )
        assert phone.banners == []
        newcomer = await phones.new()
        theirs = await newcomer.install_from_page(installation.link(), Guest())
        assert theirs.wallet_pass.document["backgroundColor"] == "rgb(1, 60, 90)"

    tell(story)


def _newest(installation: Installation) -> int:
    """The version that new cards are made with: another story may have taken one back."""
    versions = json.loads(installation.perkpass("design", "list", "pechka", "club", "--json").stdout)
    return max(int(version["version"]) for version in versions if version["withdrawn_at"] is None)


def test_a_phone_that_was_away_catches_up_when_it_is_back(installation: Installation, tell: Tell) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest())
        await phone.settle()
        await phone.switch_network(on=False)
        for _ in range(3):
            await ring_up(installation, card, 1_000_00)
            await asyncio.sleep(0.5)
        assert shown(phone, card, "Points") == "100"
        await phone.switch_network(on=True)
        await eventually(lambda: shown(phone, card, "Points") == "190", "all three receipts")

    tell(story)


def test_two_changes_within_a_second_both_arrive(installation: Installation, tell: Tell) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest())
        await phone.settle()
        for round_ in range(1, 4):
            await ring_up(installation, card, 1_000_00)
            await eventually_shows(phone, card, str(100 + 60 * round_ - 30))
            await ring_up(installation, card, 1_000_00)
            await eventually_shows(phone, card, str(100 + 60 * round_))
        assert phone.log_lines == []

    tell(story)


def test_a_worker_killed_in_the_middle_of_sending_loses_nothing(
    installation: Installation, apns: RunningApns, tell: Tell
) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest())
        await phone.settle()
        apns.turn(answer_delay_ms=30_000.0)
        try:
            await ring_up(installation, card, 1_000_00)
            await asyncio.sleep(1.0)
            await asyncio.to_thread(installation.kill_worker)
        finally:
            apns.turn(answer_delay_ms=0.0)
        await asyncio.to_thread(installation.restart_worker)
        await eventually(lambda: shown(phone, card, "Points") == "130", "the balance", seconds=30)
        await ring_up(installation, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "160", "a later push", seconds=30)

    tell(story)


def test_two_tills_redeeming_at_once_never_spend_the_same_points(
    installation: Installation, tell: Tell
) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest())
        await phone.settle()
        code = code_of(card)

        def redeem(till: str) -> httpx.Response:
            return installation.call(
                "redemptions", {"card": code, "points": 80_00, "amount": 500_00, "currency": "RUB"}, till=till
            )

        with ThreadPoolExecutor(4) as tills:
            answers = list(tills.map(redeem, ["till 1", "till 2", "till 1", "till 2"]))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201, 409, 409, 409], [answer.text for answer in answers]
        await eventually(lambda: shown(phone, card, "Points") == "20", "what is left")

    tell(story)


def test_a_guest_who_deletes_the_card_is_told_nothing_more(
    installation: Installation, apns: RunningApns, tell: Tell
) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest())
        await phone.settle()
        token = phone.push_tokens[card.key[0]]
        phone.delete(card)
        await phone.settle()
        await ring_up(installation, card, 1_000_00)
        await asyncio.sleep(1.5)
        pushes = (await browser_get(f"{apns.control_url}/pushes?token={token}")).json()
        assert pushes["pushes"] == [], pushes

    tell(story)


def test_a_forgotten_member_keeps_a_voided_card_without_a_name(
    installation: Installation, tell: Tell
) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(installation.link(), Guest(name="Аркадий"))
        await phone.settle()
        assert "Аркадий" in json.dumps(card.wallet_pass.document, ensure_ascii=False)
        await asyncio.to_thread(installation.perkpass, "member", "remove", code_of(card), "--yes")
        await eventually(lambda: now_on(phone, card).wallet_pass.document.get("voided"), "the tombstone")
        everything = b"".join(now_on(phone, card).wallet_pass.files.values())
        assert "Аркадий".encode() not in everything

    tell(story)


async def _enrol(browser: httpx.AsyncClient, link: str) -> str:
    """Fill the form in a browser; the address of the guest's card page."""
    browser.headers["User-Agent"] = IPHONE
    page = await browser.get(link, follow_redirects=True)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    answer = await browser.post(link, data={**hidden, "data": "yes", "name": "Вера"}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return str(answer.url)


async def browser_get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)
