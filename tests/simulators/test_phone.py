"""The phone against a small web service: it does what iOS does, and complains as iOS complains."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.simulators.apns import RunningApns
from app.simulators.authority import Authority
from app.simulators.guest_browser import Guest, InstallFailed
from app.simulators.http_server import Request, Response, listen, port_of, redirect
from app.simulators.phone import InvalidPass, Phone, PhoneSettings
from app.simulators.phone_patience import Thresholds
from tests.simulators.conftest import PASS_TYPE
from tests.simulators.pass_server import PassServer, document, pkpass


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # what is waited for is no event
        await asyncio.sleep(0.01)


Story = Callable[[PassServer, Phone], Awaitable[None]]


@pytest.fixture
def tell(authority: Authority, credentials: Path) -> Callable[..., None]:
    """Run a story with a service and a phone; keywords change the phone's settings."""

    @asynccontextmanager
    async def stage(settings: PhoneSettings) -> AsyncIterator[tuple[PassServer, Phone]]:
        server = PassServer(credentials)
        listening = await server.start()
        phone = Phone("Anna's", settings)
        await phone.start()
        try:
            yield server, phone
        finally:
            await phone.stop()
            listening.close()

    def run(story: Story, **changes: object) -> None:
        settings = PhoneSettings(
            root=authority.root, allow_http=True, language="en", clock_factor=100, limit_rate=False
        )

        async def main() -> None:
            async with stage(replace(settings, **changes)) as (server, phone):  # type: ignore[arg-type]
                await asyncio.wait_for(story(server, phone), 20)

        asyncio.run(main())

    return run


def test_an_install_registers_then_lists_at_once_and_fetches(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        assert server.requests == [("POST", "registration"), ("GET", "list"), ("GET", "pass")]
        ((device, serial),) = server.registrations
        assert serial == "card-1"
        assert server.registrations[device, serial] == phone.push_tokens[PASS_TYPE]
        assert card.registered
        assert card.last_modified == server.last_modified("card-1")
        assert phone.log_lines == []

    tell(story)


def test_a_push_brings_the_new_pass_and_its_words_to_the_lock_screen(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        server.say("card-1", "Your coffee is on us", balance=150)
        phone.pushed(PASS_TYPE)
        await phone.settle()
        (shown,) = phone.banners
        assert (shown.title, shown.text, shown.generic) == ("Kofe", "Your coffee is on us", False)
        assert phone.log_lines == []

    tell(story)


def test_two_changed_messages_give_the_generic_words_and_silent_changes_none(
    tell: Callable[..., None],
) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        server.say("card-1", "", balance=150)
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert phone.banners == []
        server.say("card-1", "", balance=150, changeMessage="Now %@")
        phone.pushed(PASS_TYPE)
        await phone.settle()
        server.say("card-1", "Hello", balance=200, changeMessage="Now %@")
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert [(banner.text, banner.generic) for banner in phone.banners] == [("Store card changed", True)]

    tell(story)


def test_the_tag_is_kept_before_the_download_that_fails(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        server.say("card-1", "Lost")
        server.statuses["pass"] = [500]
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert card.service is not None
        assert card.service.tag == str(server.tag)
        assert phone.banners == []
        assert "Unexpected response code 500" in phone.log_lines[0]
        assert (
            phone.log_lines[0].split("] ")[1].startswith("Get pass task (pass type pass.example.kofe, serial")
        )

    tell(story, back_off=())


def test_a_failed_request_is_tried_again_after_growing_waits(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        server.statuses["registration"] = [500, 503]
        card = phone.install(server.put("card-1"))
        await _until(lambda: card.registered)
        await phone.settle()
        assert [kind for _, kind in server.requests].count("registration") == 3
        assert len(server.logs) == 2

    tell(story, back_off=(2.0, 5.0))


def test_last_modified_is_echoed_as_it_came_and_304_is_silence(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        phone.pull_to_refresh(card)
        await phone.settle()
        assert server.seen_conditions == [None, server.last_modified("card-1")]
        assert server.requests[-1] == ("GET", "pass")
        assert phone.log_lines == []

    tell(story)


def test_a_deleted_pass_is_unregistered_and_204_for_it_is_an_error(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        server.statuses["registration"] = [204]
        phone.delete(card)
        await phone.settle()
        assert phone.cards == {}
        assert "Unregister task" in phone.log_lines[0]
        assert "Unexpected response code 204" in phone.log_lines[0]
        await _until(lambda: not server.registrations)

    tell(story, back_off=(5.0,))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"serialNumbers": ["card-1"], "lastUpdated": 17}, "Server response was malformed (lastUpdated"),
        ({"serialNumbers": [17], "lastUpdated": "17"}, "Server response was malformed (serialNumbers"),
        ({"serialNumbers": ["card-1"]}, "omitted a lastUpdated tag"),
        ({"serialNumbers": ["stranger"], "lastUpdated": "99"}, "unregistered serial number stranger"),
    ],
)
def test_a_wrong_list_is_complained_about(tell: Callable[..., None], answer: object, words: str) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        server.list_answer = answer
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert [line for line in phone.log_lines if words in line]
        await asyncio.sleep(0.1)
        assert server.logs == phone.log_lines

    tell(story, back_off=())


def test_a_tag_that_does_not_move_is_complained_about(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        server.list_answer = {"serialNumbers": ["card-1"], "lastUpdated": str(server.tag)}
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert "included 1 serial numbers but the lastUpdated tag (1) remained the same" in phone.log_lines[0]

    tell(story)


def test_pushes_and_listings_without_news_are_complained_about_after_a_while(
    tell: Callable[..., None],
) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert phone.log_lines == []
        phone.clock.advance(310)
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert "Device received spurious push" in phone.log_lines[0]
        server.list_answer = {"serialNumbers": ["card-1"], "lastUpdated": "7"}
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert (
            "Server requested update to serial number 'card-1', but the pass was unchanged"
            in phone.log_lines[1]
        )

    tell(story)


def test_wrong_passes_and_missing_headers_are_complained_about(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        server.ignore_conditions = True
        phone.pull_to_refresh(card)
        await phone.settle()
        assert "Server ignored the 'if-modified-since' header" in phone.log_lines[-1]
        server.serve_instead = document("card-2", webServiceURL=server.url)
        phone.pull_to_refresh(card)
        await phone.settle()
        assert "Requested serial number card-1, received serial number card-2" in phone.log_lines[-1]
        server.serve_instead = document("card-1", webServiceURL=server.url, description=None)
        phone.pull_to_refresh(card)
        await phone.settle()
        assert "Received invalid pass data (description" in phone.log_lines[-1]
        server.serve_instead = None
        server.say("card-1", "Hello")
        server.without_last_modified = True
        phone.pull_to_refresh(card)
        await phone.settle()
        assert "did not provide a 'last-modified' header" in phone.log_lines[-1]
        assert phone.banners[-1].text == "Hello"

    tell(story)


def test_a_wrong_token_is_an_authentication_failure(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1", authenticationToken="another-token-here"))
        await phone.settle()
        assert "encountered error: Authentication failure" in phone.log_lines[0]

    tell(story)


def test_an_offline_phone_asks_nothing_and_catches_up(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        await phone.switch_network(on=False)
        asked = len(server.requests)
        server.say("card-1", "Welcome back")
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert len(server.requests) == asked
        await phone.switch_network(on=True)
        await _until(lambda: bool(phone.banners))
        assert phone.banners[0].text == "Welcome back"
        assert phone.log_lines == []

    tell(story, back_off=(5.0, 15.0, 60.0))


def test_apples_push_reaches_the_phone_and_waits_for_one_that_is_away(
    tell: Callable[..., None], apns: RunningApns, sender_tls: ssl.SSLContext
) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        async def push() -> None:
            (token,) = server.registrations.values()
            answer = await sender.post(f"{apns.url}/3/device/{token}", content=b"{}")
            assert answer.status_code == 200

        async with httpx.AsyncClient(http1=False, http2=True, verify=sender_tls) as sender:
            phone.install(server.put("card-1"))
            await phone.settle()
            server.say("card-1", "One")
            await push()
            await _until(lambda: len(phone.banners) == 1)
            await phone.switch_network(on=False)
            await asyncio.sleep(0.1)
            server.say("card-1", "Two")
            await push()
            await push()
            await phone.switch_network(on=True)
            await _until(lambda: len(phone.banners) == 2)
        await phone.settle()
        assert [banner.text for banner in phone.banners] == ["One", "Two"]
        assert sum(1 for _, event, _ in phone.journal if event == "pushed") == 2

    tell(story, push_service=apns.control_url)


def test_updates_are_switched_off_for_a_pass_type_that_pushes_too_often(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        card = phone.install(server.put("card-1"))
        await phone.settle()
        for number in range(6):
            server.say("card-1", f"Buy {number}")
            phone.pushed(PASS_TYPE)
            await phone.settle()
        assert not card.updates_on
        assert phone.alerts == ["“Kofe” sends too many updates. Automatic updates were switched off."]
        assert server.registrations == {}
        assert len(phone.banners) < 6

    tell(story, limit_rate=True, thresholds=Thresholds(1.5, 2.5, 3.5, 4.5))


def test_an_impatient_phone_asks_later(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        phone.install(server.put("card-1"))
        await phone.settle()
        for _ in range(4):
            phone.pushed(PASS_TYPE)
            await phone.settle()
        before = len(server.requests)
        assert phone.patience[PASS_TYPE].mood == "mild"
        phone.pushed(PASS_TYPE)
        await phone.settle()
        assert len(server.requests) == before
        await phone.clock.sleep(130)
        await phone.settle()
        assert len(server.requests) == before + 1

    tell(story, limit_rate=True, thresholds=Thresholds(2.5, 100, 100, 100))


def test_a_pass_that_ios_would_refuse_is_not_installed(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        server.put("card-1")
        with pytest.raises(InvalidPass, match="must be https"):
            phone.install(pkpass(server.passes["card-1"], server.credentials))
        assert phone.cards == {}

    tell(story, allow_http=False)


_FORM = """<html><head><link rel="stylesheet" href="/style.css"></head><body>
<form method="post" action="/i/17?v=1"><input type="hidden" name="form" value="abc">
<input type="text" name="name"><input type="checkbox" name="terms" value="yes" required>
<input type="checkbox" name="news" value="yes"><button>Get</button></form>
<img src="/seen" alt=""></body></html>"""


def test_a_guest_gets_the_card_through_the_public_page(tell: Callable[..., None]) -> None:
    async def story(server: PassServer, phone: Phone) -> None:
        seen: list[str] = []
        forms: list[dict[str, str]] = []

        async def page(request: Request) -> Response:
            seen.append(f"{request.method} {request.path}")
            if request.path == "/dead":
                return Response(b"<p>This code is no longer in use</p>", 410, "text/html")
            if request.path == "/i/17" and "v" not in request.query:
                assert "iPhone" in request.headers["user-agent"]
                return redirect("/i/17?v=1")
            if request.method == "POST":
                forms.append(request.form())
                return redirect("/card")
            if request.path == "/card":
                return Response(
                    b'<a class="apple" href="/pass"><span>Add to Apple Wallet</span></a>', 200, "text/html"
                )
            if request.path == "/pass":
                return Response(server.put("card-1"), 200, "application/vnd.apple.pkpass")
            return Response(_FORM.encode(), 200, "text/html")

        listening = await listen(page, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{port_of(listening)}"
        card = await phone.install_from_page(f"{base}/i/17", Guest(name="Анна", optional_consents=False))
        assert card.key == (PASS_TYPE, "card-1")
        assert forms == [{"form": "abc", "name": "Анна", "terms": "yes"}]
        assert "GET /seen" in seen
        assert "GET /style.css" in seen
        with pytest.raises(InstallFailed, match="no longer in use"):
            await phone.install_from_page(f"{base}/dead", Guest())
        listening.close()

    tell(story)
