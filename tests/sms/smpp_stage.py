"""A gateway over SMPP, a centre, and what the listener was told: together for one scenario."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from app.simulators.smpp import SmppSettings, SmppSimulator
from app.simulators.smpp_faults import Faults
from app.sms.book import Login
from app.sms.gateway import Inbound, Outgoing, Receipt
from app.sms.smpp import SmppGateway
from app.sms.smpp_session import Patience

T = TypeVar("T")
HASTE = Patience(connecting=5.0, answer=5.0, silence=10.0, farewell=0.3)
IMPATIENCE = Patience(connecting=5.0, answer=0.4, silence=10.0, farewell=0.3)
NUMBER = "+79161234567"


def login(url: str, **changes: Any) -> Login:
    given: dict[str, Any] = {
        "name": "centre",
        "gateway": "smpp",
        "url": url,
        "ca": None,
        "sender": "Kofe",
        "rate": 10.0,
        "burst": 1,
        "secrets": MappingProxyType({"system_id": "perkpass", "password": "sandbox"}),
        "receipts_secret": None,
        "prices": (),
        "low_balance": None,
    }
    return Login(**(given | changes))


def gateway_at(
    url: str,
    *,
    patience: Patience = HASTE,
    first_pause: float = 0.02,
    part_pause: float = 0.02,
    **changes: Any,
) -> SmppGateway:
    return SmppGateway(
        login(url, **changes), patience=patience, first_pause=first_pause, part_pause=part_pause
    )


def outgoing(reference: int = 1, text: str = "Hello", number: str = NUMBER, **changes: Any) -> Outgoing:
    return Outgoing(reference=reference, number=number, text=text, **changes)


@dataclass
class Stage:
    """The actors."""

    centre: SmppSimulator
    gateway: SmppGateway
    told: list[Receipt | Inbound] = field(default_factory=list)

    @property
    def receipts(self) -> list[Receipt]:
        return [each for each in self.told if isinstance(each, Receipt)]

    @property
    def inbound(self) -> list[Inbound]:
        return [each for each in self.told if isinstance(each, Inbound)]

    def tell(self, heard: Sequence[Receipt | Inbound]) -> None:
        self.told += heard

    async def until(self, question: Callable[[], bool], *, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not question():  # noqa: ASYNC110 - of a simulator, which sets no events
                await asyncio.sleep(0.005)

    async def bound(self) -> None:
        await self.until(lambda: any(each.hears for each in self.centre.connections))


def play(
    scenario: Callable[[Stage], Awaitable[T]],
    *,
    listening: bool = True,
    query: str = "",
    settings: SmppSettings | None = None,
    gateway: dict[str, Any] | None = None,
    **knobs: Any,
) -> T:
    """Run ``scenario`` against a centre with ``knobs``; the gateway listens unless told otherwise."""

    async def inside() -> T:
        centre = SmppSimulator(settings, faults=Faults(**knobs))
        await centre.start()
        stage = Stage(centre, gateway_at(centre.url + query, **(gateway or {})))
        ears = asyncio.create_task(stage.gateway.listen(stage.tell)) if listening else None
        try:
            if ears and not centre.faults.refuse_binds:
                await stage.bound()
            return await asyncio.wait_for(scenario(stage), 20)
        finally:
            if ears:
                ears.cancel()
                await asyncio.gather(ears, return_exceptions=True)
            await stage.gateway.close()
            await centre.stop()

    return asyncio.run(inside())
