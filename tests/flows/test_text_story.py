"""The story of a number: a code by text message, the card, the same card on a new phone, and STOP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from app.simulators.guest_browser import IPHONE
from app.simulators.sms_gateways import RunningSms, SmsSettings, running
from app.sms import logins
from tests import servers
from tests.flows.installation import Installation, until

NUMBER = "+79123456789"
_FILE = """
[logins.main]
gateway = "{gateway}"
url = "{url}"
sender = "Pechka"
rate = 50
burst = 10
secrets = {secrets}
receipts_secret = "sandbox-secret-of-receipts"
prices = [{{ prefix = "+7", amount = {price}, currency = "{currency}" }}]

[brands.pechka]
login = "main"
countries = ["RU"]
codes_a_day = 100
budget_a_day = 1000000
"""
_GATEWAYS = {
    "smsc": ('{ apikey = "sandbox-key" }', 450, "RUB"),
    "twilio": (f'{{ account_sid = "{SmsSettings().account_sid}", auth_token = "sandbox-token" }}', 5, "USD"),
}


@pytest.fixture(params=sorted(_GATEWAYS))
def told(
    request: pytest.FixtureRequest, make_installation: Callable[..., Installation], tmp_path: Path
) -> Iterator[tuple[Installation, RunningSms]]:
    """An installation whose brand has numbers proved, and the gateway that it sends by."""
    name = str(request.param)
    secrets, price, currency = _GATEWAYS[name]
    port, file = servers.free_port(), tmp_path / "sms.toml"
    receipts = f"http://127.0.0.1:{port}/sms/receipts/main"

    def write(url: str) -> None:
        file.touch(mode=0o600)
        said = {"gateway": name, "url": url, "secrets": secrets, "price": price, "currency": currency}
        file.write_text(_FILE.format(**said), encoding="utf-8")

    write("http://127.0.0.1:9")
    cabinet = logins.receipts_address(logins.read(file).logins["main"], receipts) or ""
    settings = SmsSettings(smsc_receipts=cabinet, twilio_incoming=cabinet)
    with running(settings) as gateway:
        write(gateway.url)
        installation = make_installation(f"texts_{name}", PERKPASS_SMS_FILE=str(file))
        installation.port = port
        installation.load_chain()
        chain = installation.directory / "chain.toml"
        words = chain.read_text(encoding="utf-8")
        chain.write_text(words.replace('asks_phone = "no"', 'asks_phone = "proved"', 1), encoding="utf-8")
        installation.perkpass("chain", "load", str(chain))
        try:
            installation.start()
            yield installation, gateway
        finally:
            installation.stop()


def _fields(page: httpx.Response) -> dict[str, str]:
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in hidden}


def _join(link: str, gateway: RunningSms) -> str:
    """Scan, form, code; the address of the card's page."""
    before = gateway.ask(lambda simulator: len(simulator.ledger.texts))
    with httpx.Client(
        headers={"User-Agent": IPHONE, "Accept-Language": "ru"}, follow_redirects=True, timeout=30
    ) as browser:
        page = browser.get(link)
        picture = re.search(r'<img class="seen" src="([^"]+)"', page.text)
        assert picture
        browser.get(str(page.url.join(unescape(picture[1]))))  # as a browser does that shows the page
        url = str(page.url.copy_with(query=None))
        form = {"name": "Анна", "phone": "8 912 345-67-89", "data": "yes", "advertising": "yes"}
        page = browser.post(url, data=_fields(page) | form)
        assert page.status_code == 200, page.text
        texts = until(
            lambda: gateway.ask(lambda simulator: list(simulator.ledger.texts[before:])), what="a text"
        )
        assert (len(texts), texts[0].to.lstrip("+"), texts[0].parts) == (1, NUMBER[1:], 1)
        code = re.search(r"\b\d{6}\b", texts[0].body)
        assert code, texts[0].body
        card = browser.post(url, data=_fields(page) | {"step": "check", "digits": code[0]})
        assert card.status_code == 200, card.text
        assert "/card/" in str(card.url)
        return card.text


def test_a_number_is_proved_known_again_and_left_in_peace(told: tuple[Installation, RunningSms]) -> None:
    installation, gateway = told
    first = _join(installation.link(), gateway)
    again = _join(installation.link("nevsky", "table 2"), gateway)
    number = re.compile(r'<p class="number">([^<]+)</p>')
    (code,) = set(number.findall(first)) & set(number.findall(again))
    gateway.settled()

    def member() -> dict[str, list[dict[str, object]]]:
        shown: dict[str, list[dict[str, object]]] = json.loads(
            installation.perkpass("member", "show", code, "--json").stdout
        )
        return shown

    known = member()
    assert len(known["codes"]) == 2
    texts = [
        json.loads(installation.perkpass("sms", "status", str(one["text"]), "--json").stdout)
        for one in known["codes"]
    ]
    assert [one["state"] for one in texts] == ["delivered", "delivered"]
    spent = gateway.ask(lambda simulator: sum(text.cost for text in simulator.ledger.texts))
    said = [str(one["price"]).split()[0] for one in texts]
    assert round(sum(map(float, said)) * 100) == spent  # to the last coin
    gateway.incoming(_name(gateway), NUMBER, "СТОП")
    granted = [one["granted"] for one in member()["consents"] if one["purpose"] == "advertising"]
    assert granted[-1] is False
    assert NUMBER not in installation.log()


def _name(gateway: RunningSms) -> str:
    """Whose texts they were."""
    return str(gateway.ask(lambda simulator: simulator.ledger.texts[0].gateway))
