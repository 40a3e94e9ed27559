"""Android pass apps speak Apple's web service under names of their own, and Apple never hears of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db import Database
from app.delivery.tables import delivery
from app.passes import holders, registrations, store_passes
from app.passes.issuing import WalletPass
from app.passes.tables import device
from tests.passes.shop import NOW
from tests.web.phones import PKPASS, Phone, Service, token_for

WALLETPASSES = {
    "Authorization": "AndroidPass {}",
    "User-Agent": "WalletPasses/2.15 (Linux; U; Android 15; google Pixel 9)",
}
WALLETUNION = {
    "Authorization": "WalletUnionPass {}",
    "User-Agent": "WalletUnion/1.0 Passbook/1.0 (Linux; U; Android 14; samsung SM-A556E)",
}
HUAWEI = {
    "Authorization": "WalletUnionHMSPass {}",
    "User-Agent": "WalletUnionHMS/1.0 Passbook/1.0 (Linux; U; Android 12; HUAWEI MAO-LX9)",
}
PASSWALLET = {"Authorization": "AttidoPass {}"}
PASS2U = {"Authorization": "ApplePass {}", "X-Pass-Client": "Passes"}
UNKNOWN = {"Authorization": "ApplePass {}", "User-Agent": "Dalvik/2.1.0 (Linux; U; Android 13)"}
APPS = {
    "WalletPasses": WALLETPASSES, "WalletUnion": WALLETUNION, "WalletUnion on Huawei": HUAWEI,
    "PassWallet": PASSWALLET, "Pass2U": PASS2U, "an unknown one": UNKNOWN,
}  # fmt: skip
each_app = pytest.mark.parametrize("app", APPS.values(), ids=APPS)


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


class PassApp(Phone):
    """Asks as ``app`` does: its headers with the card's token in them."""

    app: Mapping[str, str] = WALLETPASSES

    def headers(self, card: WalletPass) -> dict[str, str]:
        return {name: words.format(token_for(card)) for name, words in self.app.items()}

    def add(self, card: WalletPass) -> TestResponse:
        path = self.registration(card)
        body = {"pushToken": "59144e4701b04a3a"}
        if self.app is PASSWALLET:
            path = path.replace("/registrations/", "/registrations_attido/")
            body["pushServiceUrl"] = "http://127.0.0.1:9/PassWallet"
        return self._ask("POST", path, headers=self.headers(card), json=body)

    def drop(self, card: WalletPass) -> TestResponse:
        return self._ask("DELETE", self.registration(card), headers=self.headers(card))

    def get(self, card: WalletPass, since: str | None = None) -> TestResponse:
        headers = self.headers(card) | ({"If-Modified-Since": since} if since else {})
        path = f"/v1/passes/{card.pass_type_identifier}/{card.serial_number}"
        return self._ask("GET", path, headers=headers)


def pass_app(service: Service, app: Mapping[str, str]) -> PassApp:
    made = PassApp(service, "a-n-d-r-o-i-d")
    made.app = app
    return made


def pushes(service: Service) -> int:
    with service.database.read() as tx:
        return tx.execute(select(func.count()).select_from(delivery)).scalar_one()


def richer(service: Service, card: WalletPass, balance: int) -> WalletPass:
    service.pass_by(20)
    return service.revise(card, replace(service.read(card.id).content, balance=balance))


@each_app
def test_a_pass_app_registers_asks_and_fetches_like_a_phone(service: Service, app: dict[str, str]) -> None:
    card, android = service.issue(), pass_app(service, app)
    assert [android.add(card).status_code for _ in range(2)] == [201, 200]
    first = android.get(card)
    assert (first.status_code, first.mimetype, first.data) == (200, PKPASS, service.bundle_of(card.id))
    assert android.list(card).status_code == 200
    assert android.list(card).status_code == 204

    richer(service, card, 500)

    listed = android.list(card).json
    assert listed is not None
    assert listed["serialNumbers"] == [card.serial_number]
    now = android.get(card, since=first.headers["Last-Modified"])
    assert (now.status_code, now.data) == (200, service.bundle_of(card.id))
    assert android.get(card, since=now.headers["Last-Modified"]).status_code == 304
    assert android.drop(card).status_code == 200
    assert service.events == [("added", card.id, True), ("added", card.id, False), ("removed", card.id)]


@each_app
def test_apple_never_hears_of_a_pass_app(service: Service, app: dict[str, str]) -> None:
    """Its token would come back as a bad one, and a batch of those opens the breaker for everybody."""
    card, android = service.issue(), pass_app(service, app)
    android.add(card)
    richer(service, card, 100)
    assert pushes(service) == 0
    with service.database.read() as tx:
        (held,) = holders.of_passes(tx, [card.id])
        assert held.push_service == "other"
        assert held.unreachable_since is None
        assert store_passes.reachable_devices(tx, [card.id]) == {}
        assert registrations.push_targets(tx, [held.device_id]) == {}

    Phone(service, "iphone").register(card, headers={"User-Agent": "passd/1.0 CFNetwork/1498 Darwin/23.5.0"})
    richer(service, card, 200)

    assert pushes(service) == 1
    with service.database.read() as tx:
        targets = registrations.push_targets(tx, [it.device_id for it in holders.of_passes(tx, [card.id])])
        assert [it.push_token for it in targets.values()] == ["70ken"]


def test_what_was_promised_to_a_phone_is_not_sent_to_a_pass_app_of_its_name(service: Service) -> None:
    card, android = service.issue(), pass_app(service, WALLETPASSES)
    Phone(service, android.name).register(card)
    richer(service, card, 100)
    assert pushes(service) == 1
    android.add(card)
    with service.database.read() as tx:
        (held,) = holders.of_passes(tx, [card.id])
        assert registrations.push_targets(tx, [held.device_id]) == {}
    Phone(service, android.name).register(card)
    with service.database.read() as tx:
        assert list(registrations.push_targets(tx, [held.device_id])) == [held.device_id]


def test_the_card_is_removed_when_neither_a_phone_nor_a_pass_app_holds_it(service: Service) -> None:
    card, android, iphone = service.issue(), pass_app(service, WALLETPASSES), Phone(service, "iphone")
    iphone.register(card)
    android.add(card)
    iphone.unregister(card)
    assert ("removed", card.id) not in service.events
    android.drop(card)
    assert service.events[-1] == ("removed", card.id)


@pytest.mark.parametrize("path", ["registrations", "registrations_attido"])
@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_a_pass_app_needs_the_passs_own_token(service: Service, app: dict[str, str], path: str) -> None:
    card, other = service.issue(), service.issue()
    android = pass_app(service, app)
    address = android.registration(card).replace("/registrations/", f"/{path}/")
    answer = android._ask("POST", address, headers=android.headers(other), json={"pushToken": "1"})
    assert answer.status_code == 401
    with service.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(device)).scalar_one() == 0


def test_a_pass_app_counts_as_contacted_and_fetched(service: Service) -> None:
    card, android = service.issue(), pass_app(service, WALLETPASSES)
    android.add(card)
    android.list(card)
    android.get(card)
    service.evidence.flush()
    with service.database.read() as tx:
        (held,) = holders.of_passes(tx, [card.id])
    assert held.contacted_at is not None
    assert held.contacted_at - NOW < timedelta(minutes=1)
