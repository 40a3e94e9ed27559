"""A login at each simulated gateway by its real adapter: what the gateway took, and what it tells us."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from app.delivery import texts
from app.simulators import smpp, sms_gateways
from app.simulators.smpp import RunningSmpp, SmppSettings
from app.simulators.sms_gateways import ACCOUNT_SID, RunningSms, SmsSettings
from app.sms.gateway import Gateway, Receipt
from app.sms.smsc import SmscGateway
from app.sms.twilio import TwilioGateway
from app.sms.wire import Patience
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextingBrand, TextLogin, told
from tests.delivery.texting import MINUTE, Texting
from tests.sms.ears import Ear, listening
from tests.sms.smpp_stage import HASTE as SLOW
from tests.sms.smpp_stage import IMPATIENCE, gateway_at

Kind = Literal["smsc", "twilio", "smpp"]
KINDS: Final[tuple[Kind, ...]] = ("smsc", "twilio", "smpp")
SMPP_PRICE: Final = 300
KEY = "key-of-the-address"
HASTE: Final = Patience(exchange=0.4)
BUSY: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "smsc": {"at_once": 0},
    "twilio": {"at_once": 0},
    "smpp": {"rate": 0},
}
_IN_HEALTH: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "smsc": {"at_once": None},
    "twilio": {"at_once": None},
    "smpp": {"rate": None},
}


@dataclass
class House:
    """One gateway. ``hear`` writes its callbacks as the web does; a centre speaks to who listens."""

    kind: Kind
    port: int  # of the gateway, where it is not up yet
    ear: Ear
    clock: Callable[[], float] = time.time
    sms: RunningSms | None = None
    centre: RunningSmpp | None = None
    login: str = "main"

    @property
    def can_ask(self) -> bool:
        return self.kind == "smsc"

    def gateway(self, *, patience: Patience = HASTE) -> Gateway:
        if self.kind == "smpp":
            long = patience is not HASTE
            url = f"smpp://127.0.0.1:{self.port}"
            return gateway_at(url, patience=SLOW if long else IMPATIENCE, name="main")
        url = f"http://127.0.0.1:{self.port}"
        if self.kind == "smsc":
            return SmscGateway(
                url=url, ca=None, secrets={"apikey": "sandbox-key"}, sender="KOFE", currency="RUB",
                receipts_secret=None, receipts_key=KEY, patience=patience,
            )  # fmt: skip
        return TwilioGateway(
            url=url, ca=None, secrets={"account_sid": ACCOUNT_SID, "auth_token": "sandbox-token"},
            sender="+15550006666", receipts_url=f"{self.ear.url}/sms/receipts/main", patience=patience,
        )  # fmt: skip

    def channel(
        self,
        *,
        rate: float = 1000,
        burst: int = 100,
        sure_after: timedelta = MINUTE,
        patience: Patience = HASTE,
        brands: Mapping[str, TextingBrand] | None = None,
    ) -> TextChannel:
        login = TextLogin(gateway=self.gateway(patience=patience), rate=rate, burst=burst)
        return TextChannel({self.login: login}, brands=brands, sure_after=sure_after)

    def turn(self, **knobs: Any) -> None:
        running: Any = self.sms or self.centre
        running.turn(**knobs)

    def busy(self, yes: bool) -> None:
        self.turn(**(BUSY if yes else _IN_HEALTH)[self.kind])

    def refuse(self, number: str) -> None:
        if self.kind == "smpp":
            self.turn(refused_numbers={number.removeprefix("+"): 0x0B, number: 0x0B})
        else:
            self.turn(refused={number: 7 if self.kind == "smsc" else 21211})

    def costs(self) -> Counter[str]:
        """What the gateway charged for texts to each number, parts that never became a text as well."""
        found: Counter[str] = Counter()
        if self.centre:
            for part in self.centre.ask(lambda one: list(one.log.parts)):
                found["+" + part.submitted.number.removeprefix("+")] += SMPP_PRICE
        elif self.sms:
            for text in self.sms.ask(lambda one: list(one.ledger.texts)):
                found[text.to] += text.cost
        return found

    def taken(self) -> Counter[str]:
        """How often a whole text to each number was taken."""
        if self.centre:
            whole = self.centre.ask(lambda one: one.log.texts())
            return Counter("+" + text.number.removeprefix("+") for text in whole)
        assert self.sms
        return Counter(text.to for text in self.sms.ask(lambda one: list(one.ledger.texts)))

    def bodies(self) -> Counter[str]:
        """How often each text, by its words, was taken whole."""
        if self.centre:
            return Counter(text.text for text in self.centre.ask(lambda one: one.log.texts()))
        assert self.sms
        return Counter(text.body for text in self.sms.ask(lambda one: list(one.ledger.texts)))

    def say(self, number: str, words: str) -> None:
        """A guest sends us a text."""
        if self.centre:
            self.centre.ask(lambda one: one.incoming(number, words))
        elif self.sms:
            self.sms.incoming(self.kind, number, words)

    def forget(self) -> None:
        """The log is empty again."""
        if self.centre:
            self.centre.ask(lambda one: one.log.parts.clear())
        elif self.sms:
            self.sms.ask(lambda one: one.ledger.clear())
        self.ear.heard.clear()

    def hear(self, texting: Texting, now: datetime) -> None:
        """Write what was called back so far, each callback in a transaction of its own."""
        gateway = self.gateway()
        while self.ear.heard:
            for said in gateway.hear(self.ear.heard.pop(0)):
                if isinstance(said, Receipt) and (receipt := told(self.login, said)):
                    with texting.database.write() as tx:
                        texts.hear_receipts(tx, [receipt], now=now)


@contextmanager
def house(
    kind: Kind,
    *,
    up: bool = True,
    port: int = 0,
    clock: Callable[[], float] = time.time,
    receipts: bool = True,
) -> Iterator[House]:
    """The gateway of that kind until the block ends; one that is not ``up`` is started by :func:`rising`."""
    with listening() as ear, ExitStack() as stack:
        found = House(kind, port, ear, clock)
        if up:
            stack.enter_context(rising(found, receipts=receipts))
        yield found


@contextmanager
def rising(found: House, *, receipts: bool = True) -> Iterator[None]:
    """The gateway's server at its port, until the block ends."""
    if found.kind == "smpp":
        settings = SmppSettings(port=found.port, price=SMPP_PRICE)
        with smpp.running(settings) as centre:
            found.centre, found.port = centre, int(centre.url.rpartition(":")[2])
            centre.turn(receipts="both" if receipts else "none")
            yield
        found.centre = None
        return
    address = f"{found.ear.url}/sms/receipts/main?charset=utf-8&key={KEY}"
    http = SmsSettings(port=found.port, smsc_receipts=address if receipts else "", twilio_incoming=address)
    with sms_gateways.running(http, clock=found.clock) as sms:
        found.sms, found.port = sms, int(sms.url.rpartition(":")[2])
        sms.turn(receipt_delay_ms=0, no_receipts=not receipts)
        yield
    found.sms = None
