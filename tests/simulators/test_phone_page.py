"""The phone's page, asked as a browser without JavaScript asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from app.simulators.authority import Authority
from app.simulators.phone import Phone, PhoneSettings
from app.simulators.phone_page import PhonePage
from app.simulators.till import Holder, ShownCard
from tests.simulators.conftest import PASS_TYPE
from tests.simulators.pass_server import PNG, PassServer, pkpass

Story = Callable[[PassServer, Phone, httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
def tell(authority: Authority, credentials: Path) -> Callable[[Story], None]:
    async def ring(phone: Holder, card: ShownCard) -> str:
        return f"rung for {card.key[1]} of {phone.name}"

    async def main(story: Story) -> None:
        server = PassServer(credentials)
        listening = await server.start()
        phone = Phone("Анна", PhoneSettings(root=authority.root, allow_http=True, language="ru"))
        page = PhonePage([phone], ring=ring)
        async with httpx.AsyncClient(base_url=await page.start(), follow_redirects=True) as browser:
            await asyncio.wait_for(story(server, phone, browser), 20)
        await page.stop()
        await phone.stop()
        listening.close()

    return lambda story: asyncio.run(main(story))


def test_the_page_shows_the_card_its_code_and_the_banner(tell: Callable[[Story], None]) -> None:
    async def story(server: PassServer, phone: Phone, browser: httpx.AsyncClient) -> None:
        assert "В Wallet пока нет карт" in (await browser.get("/")).text
        server.put("card-1", backgroundColor="rgb(1, 2, 3)")
        strings = '"balance_label" = "Баллы";'.encode()
        files = {"ru.lproj/pass.strings": strings, "logo.png": PNG}
        phone.install(pkpass(server.passes["card-1"], server.credentials, files=files))
        text = (await browser.get("/")).text
        assert "Баллы" in text
        assert "--card:rgb(1 2 3)" in text
        assert "<svg" in text
        logo = await browser.get("/phones/0/cards/0/logo")
        assert (logo.content, logo.headers["content-type"]) == (PNG, "image/png")
        assert (await browser.get("/phones/0/cards/0/strip")).status_code == 404
        await phone.settle()
        server.say("card-1", "<b>Кофе</b> в подарок")
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert "&lt;b&gt;Кофе&lt;/b&gt; в подарок" in (await browser.get("/")).text

    tell(story)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("en-US,en;q=0.9,ru;q=0.8", "en"), ("de, en;q=0.5, ru;q=0.7", "ru"), ("de", "ru"),
     ("ruq;q=x,,;q=", "ru"), ("run,eng", "ru"), ("", "ru"), ("ru;q=0,en", "en")],
)  # fmt: skip
def test_a_phone_speaks_the_browsers_language_until_it_is_switched(
    tell: Callable[[Story], None], accepted: str, language: str
) -> None:
    async def story(server: PassServer, phone: Phone, browser: httpx.AsyncClient) -> None:
        browser.headers["Accept-Language"] = accepted
        assert f'<html lang="{language}">' in (await browser.get("/")).text
        other = {"ru": "en", "en": "ru"}[language]
        assert f'<html lang="{other}">' in (await browser.post("/phones/0/language")).text
        assert f'<html lang="{other}">' in (await browser.get("/")).text

    tell(story)


def test_every_switch_is_a_form_that_works_by_itself(tell: Callable[[Story], None]) -> None:
    async def story(server: PassServer, phone: Phone, browser: httpx.AsyncClient) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        assert 'lang="en"' in (await browser.post("/phones/0/language")).text
        assert "No network" in (await browser.post("/phones/0/network")).text
        assert phone.offline
        await browser.post("/phones/0/network")
        await browser.post("/phones/0/updates", data={"card": "0"})
        await phone.settle()
        assert not card.updates_on
        assert server.registrations == {}
        before = len(server.requests)
        await browser.post("/phones/0/refresh", data={"card": "0"})
        await phone.settle()
        assert server.requests[before:] == [("GET", "pass")]
        assert "rung for card-1 of Анна" in (await browser.post("/phones/0/receipt", data={"card": "0"})).text
        assert "No cards in Wallet yet" in (await browser.post("/phones/0/delete", data={"card": "0"})).text
        assert phone.cards == {}

    tell(story)


def test_the_browser_is_told_at_once_when_something_changes(tell: Callable[[Story], None]) -> None:
    async def story(server: PassServer, phone: Phone, browser: httpx.AsyncClient) -> None:
        async with browser.stream("GET", "/phones/0/live") as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            lines = answer.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            phone.install(server.put("card-1"))
            heard = [await anext(lines) for _ in range(3)]
        assert "event: screen" in heard

    tell(story)


def test_other_sites_and_other_hosts_are_turned_away(tell: Callable[[Story], None]) -> None:
    async def story(server: PassServer, phone: Phone, browser: httpx.AsyncClient) -> None:
        elsewhere = {"origin": "https://evil.example"}
        assert (await browser.post("/phones/0/network", headers=elsewhere)).status_code == 403
        assert (await browser.get("/", headers={"host": "evil.example"})).status_code == 403
        assert not phone.offline
        assert (await browser.get("/phones/0/nothing")).status_code == 404
        assert (await browser.get("/static/phone.html")).status_code == 404

    tell(story)
