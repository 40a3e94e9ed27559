"""The file of logins: what it may say, and how its faults are told."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from app.errors import Misconfigured
from app.simulators.authority import Authority
from app.simulators.sms_gateways import ACCOUNT_SID, SmsSettings, running
from app.sms import logins
from app.sms.gateway import Callback, NotOurs, Price, Unreachable, Verdict
from app.sms.logins import BrandTexts, Login, PriceRule
from tests.sms.accounts import ANNA, text

WHOLE = f"""
[logins.main]
gateway = "smsc"
sender = "KOFE"
rate = 10.0
burst = 20
receipts_secret = "made-by-a-machine-1"
low_balance = 50000
secrets = {{ login = "kofe", password = "very-secret" }}
prices = [
  {{ prefix = "+7", amount = 450, currency = "RUB" }},
  {{ prefix = "+77", amount = 700, currency = "RUB" }},
]

[logins.abroad]
gateway = "twilio"
sender = "+15550006666"
rate = 1.0
secrets = {{ account_sid = "{ACCOUNT_SID}", auth_token = "very-secret" }}
prices = [{{ prefix = "+4", amount = 9, currency = "USD" }}]

[brands.kofe]
login = "main"
countries = ["RU", "KZ"]
codes_a_day = 500
budget_a_day = 300000

[brands.pechka]
login = "abroad"
countries = ["DE"]
codes_a_day = 10
budget_a_day = 0
quiet_from = 22:00:00
quiet_until = 09:30:00
"""


def written(directory: Path, content: str, mode: int = 0o600) -> Path:
    path = directory / "sms.toml"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def faults(directory: Path, content: str) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as wrong:
        logins.read(written(directory, content))
    assert "very-secret" not in str(wrong.value)
    return wrong.value.faults


def test_a_whole_file(tmp_path: Path) -> None:
    book = logins.read(written(tmp_path, WHOLE))
    assert book.logins["main"] == Login(
        name="main",
        gateway="smsc",
        url="https://smsc.ru",
        ca=None,
        sender="KOFE",
        rate=10.0,
        burst=20,
        secrets={"login": "kofe", "password": "very-secret"},
        receipts_secret="made-by-a-machine-1",
        prices=(PriceRule("+7", 450, "RUB"), PriceRule("+77", 700, "RUB")),
        low_balance=50_000,
    )
    assert book.logins["abroad"].url == "https://api.twilio.com"
    assert book.brands["kofe"] == BrandTexts(
        brand="kofe", login="main", countries=("RU", "KZ"), codes_a_day=500, budget_a_day=300_000
    )
    assert (book.brands["kofe"].quiet_from, book.brands["kofe"].quiet_until) == (time(21), time(10))
    assert book.brands["pechka"].quiet_until == time(9, 30)


def test_a_country_without_a_price_would_escape_the_budget(tmp_path: Path) -> None:
    whole = WHOLE.replace('countries = ["DE"]', 'countries = ["DE", "BY"]')
    with pytest.raises(
        Misconfigured, match=r"brands\.pechka: login 'abroad' names no price for BY \(\+375…\)"
    ):
        logins.read(written(tmp_path, whole))


def test_no_secret_is_in_a_repr(tmp_path: Path) -> None:
    said = repr(logins.read(written(tmp_path, WHOLE)))
    assert "very-secret" not in said
    assert "made-by-a-machine" not in said


def test_the_longest_prefix_is_the_price(tmp_path: Path) -> None:
    main = logins.read(written(tmp_path, WHOLE)).logins["main"]
    assert logins.price_of(main, "+79001234567", 2) == Price(amount=900, currency="RUB")
    assert logins.price_of(main, "+77001234567", 2) == Price(amount=1400, currency="RUB")
    assert logins.price_of(main, "+4915112345678", 1) is None
    everywhere = dataclasses.replace(main, prices=(PriceRule("+", 1, "RUB"),))
    assert logins.price_of(everywhere, "+4915112345678", 3) == Price(amount=3, currency="RUB")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666])
def test_a_file_that_everybody_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(Misconfigured, match="chmod 640"):
        logins.read(written(tmp_path, WHOLE, mode))


def test_a_group_may_read_it(tmp_path: Path) -> None:
    assert logins.read(written(tmp_path, WHOLE, 0o640)).logins


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        logins.read(tmp_path / "sms.toml")
    assert "not TOML" in faults(tmp_path, "[logins")[0]
    path = written(tmp_path, "")
    path.write_bytes('sender = "Кофе"'.encode("cp1251"))
    with pytest.raises(Misconfigured, match="not UTF-8"):
        logins.read(path)


def test_every_fault_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
[logins.main]
gateway = "smsc"
url = "http://smsc.ru"
rate = 0
burst = 1.5
secrets = { login = "very-secret" }
[logins.abroad]
gateway = "twilio"
rate = 1.0
secrets = { account_sid = "AC", auth_token = "very-secret", extra = "very-secret" }
[logins.third]
gateway = "pigeon"
rate = 1.0
secrets = {}
nonsense = 1
[brands.kofe]
login = "mian"
countries = ["RU", "Russia"]
codes_a_day = -1
budget_a_day = 0
quiet_from = 10:00:00
""",
    )
    places = {fault.removeprefix(f"{tmp_path}/sms.toml: ").split(": ")[0] for fault in told}
    assert places >= {
        "logins.main.rate",
        "logins.main.burst",
        "logins.abroad",
        "brands.kofe",
        "logins.third.gateway",
        "logins.third.nonsense",
        "brands.kofe.countries.1",
        "brands.kofe.codes_a_day",
    }
    assert any("Twilio wants a number" in fault and "account_sid and auth_token" in fault for fault in told)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sender": '""'}, "at least 1 character"),
        ({"url": '"http://smsc.ru"'}, "over https only"),
        ({"url": '"smsc.ru"'}, "begins with https://"),
        ({"url": '"https://smsc.ru:99999"'}, "begins with https://"),
        ({"url": '"https://kofe:very-secret@smsc.ru"'}, "belong under secrets"),
        ({"secrets": "{}"}, "smsc wants apikey, or login and password"),
        ({"secrets": '{ apikey = "a", login = "b", password = "c" }'}, "smsc wants"),
        ({"receipts_secret": '"short"'}, "at least 16 characters"),
        ({"prices": '[{ prefix = "7", amount = 1, currency = "RUB" }]'}, "prefix"),
        ({"prices": '[{ prefix = "+7", amount = 1, currency = "rub" }]'}, "three capital letters"),
        (
            {
                "prices": '[{ prefix = "+7", amount = 1, currency = "RUB" },'
                ' { prefix = "+1", amount = 1, currency = "USD" }]'
            },
            "one currency",
        ),
        (
            {
                "prices": '[{ prefix = "+7", amount = 1, currency = "RUB" },'
                ' { prefix = "+7", amount = 2, currency = "RUB" }]'
            },
            "two for the same prefix",
        ),
    ],
)
def test_a_login_that_cannot_be(tmp_path: Path, change: dict[str, str], sentence: str) -> None:
    keys = {"gateway": '"smsc"', "rate": "1.0", "secrets": '{ apikey = "very-secret" }'} | change
    content = "[logins.main]\n" + "\n".join(f"{name} = {value}" for name, value in keys.items())
    assert sentence in faults(tmp_path, content)[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "logins"),
        (WHOLE.replace("[logins.main]", '[logins."Main one"]'), "part of an address"),
        (WHOLE.replace('login = "main"', 'login = "mian"'), "there is no login 'mian'"),
        (WHOLE.replace("quiet_from = 22:00:00", "quiet_from = 09:30:00"), "the same time"),
        (WHOLE.replace('["DE"]', "[]"), "brands.pechka.countries"),
    ],
)
def test_a_book_that_cannot_be(tmp_path: Path, content: str, sentence: str) -> None:
    assert any(sentence in fault for fault in faults(tmp_path, content))


def test_a_centre_is_judged_with_the_rest(tmp_path: Path) -> None:
    centre = """
[logins.centre]
gateway = "smpp"
url = "smpps://centre.example:3550?ids=hex-decimal&window=20"
rate = 50.0
secrets = { system_id = "kofe", password = "secret" }
"""
    book = logins.read(written(tmp_path, centre))
    assert book.logins["centre"].url == "smpps://centre.example:3550?ids=hex-decimal&window=20"
    told = faults(tmp_path, centre.replace("window=20", "window=0").replace('"secret"', '"very-secret"'))
    assert len(told) == 2
    assert "window=1..1000" in told[0]
    assert "secrets: password" in told[1]


def login(url: str, **changes: object) -> Login:
    known = Login(
        name="main",
        gateway="smsc",
        url=url,
        ca=None,
        sender=None,
        rate=1.0,
        burst=1,
        secrets={"apikey": SmsSettings().smsc_apikey},
        receipts_secret="made-by-a-machine-1",
        prices=(),
        low_balance=None,
    )
    return dataclasses.replace(known, **changes)  # type: ignore[arg-type]


def test_a_gateway_of_a_private_authority_is_trusted_with_its_certificate_only(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "authority", now=datetime.now(UTC).replace(microsecond=0))
    certificate, key = authority.server_certificate(tmp_path, "127.0.0.1", "localhost")

    async def sent(by: Login) -> Verdict:
        gateway = logins.open_gateway(by, receipts_url=None)
        try:
            return (await gateway.send(text())).verdict
        finally:
            await gateway.close()

    with running(SmsSettings(certificate=certificate, key=key)) as sms:
        assert asyncio.run(sent(login(sms.url, ca=authority.root))) is Verdict.ACCEPTED
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(sent(login(sms.url)))
    with pytest.raises(Misconfigured, match="cannot read its authority"):
        logins.open_gateway(login("https://smsc.ru", ca=tmp_path / "none.pem"), receipts_url=None)


def test_the_address_for_the_cabinet_opens_and_another_login_s_does_not() -> None:
    main = login("https://smsc.ru")
    address = logins.receipts_address(main, "https://kofe.example/sms/receipts/main")
    assert address is not None
    assert address.startswith("https://kofe.example/sms/receipts/main?charset=utf-8&key=")
    assert "made-by-a-machine" not in address
    other = logins.receipts_address(
        dataclasses.replace(main, name="other"), "https://kofe.example/sms/receipts/main"
    )
    assert other != address
    assert logins.receipts_address(login("https://smsc.ru", receipts_secret=None), "https://x/") is None
    gateway = logins.open_gateway(main, receipts_url="https://kofe.example/sms/receipts/main")
    told = {"id": "1", "phone": "79001234567", "status": "1"}
    assert gateway.hear(Callback(method="POST", url=address, headers={}, form=told))
    with pytest.raises(NotOurs):
        gateway.hear(Callback(method="POST", url=str(other), headers={}, form=told))
    asyncio.run(gateway.close())


def test_twilio_is_told_an_address_that_it_can_reach() -> None:
    """With an address on loopback the real Twilio would refuse every text; the simulator reaches it."""
    secrets = {"account_sid": ACCOUNT_SID, "auth_token": SmsSettings().auth_token}
    with running() as sms:
        sms.turn(no_receipts=True)

        async def callback_of(receipts_url: str) -> str:
            by = login(sms.url, gateway="twilio", sender="+15550006666", secrets=secrets)
            gateway = logins.open_gateway(by, receipts_url=receipts_url)
            await gateway.send(text(7, ANNA))
            await gateway.close()
            return sms.ask(lambda simulator: simulator.ledger.texts[-1].callback)

        near = asyncio.run(callback_of("http://127.0.0.1:8000/sms/receipts/main"))
        assert near == "http://127.0.0.1:8000/sms/receipts/main?reference=7"
    far = logins.open_gateway(
        login("https://api.twilio.com", gateway="twilio", sender="+15550006666", secrets=secrets),
        receipts_url="http://127.0.0.1:8000/sms/receipts/main",
    )
    assert getattr(far, "_receipts_url", "") is None
    asyncio.run(far.close())
