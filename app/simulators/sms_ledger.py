"""What the text gateways' simulator remembers: every text it took, and every coin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from app.simulators.sms_parts import parts_of

GatewayName = Literal["smsc", "twilio"]


@dataclass(slots=True)
class Text:
    """One text that was taken and charged."""

    number: int  # counts from 1 and never repeats
    at: float  # UNIX seconds
    gateway: GatewayName
    identifier: str  # the gateway's; at SMSC.ru the client's own
    to: str
    sender: str
    body: str
    parts: int
    cost: int  # minor units of all parts
    answered: bool = True  # False: the answer was lost on purpose
    cause: int = 0  # not 0: it will not be delivered, and why
    ends_at: float = 0.0  # when its last state is known
    callback: str = ""  # where its receipts go, where the text says so itself

    def over(self, now: float) -> bool:
        """Whether its last state is known."""
        return now >= self.ends_at


@dataclass(slots=True)
class Account:
    """Money of one gateway, in minor units."""

    currency: str
    balance: int
    price: int  # a part, to everywhere
    spent: int = 0


@dataclass(slots=True)
class Ledger:
    """Texts and money. Used from the simulator's event loop only."""

    clock: Callable[[], float]
    accounts: dict[GatewayName, Account]
    texts: list[Text] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)  # "smsc 9": how often
    receipts: Counter[str] = field(default_factory=Counter)  # "heard", "failed": how often
    _by_identifier: dict[tuple[GatewayName, str, str], Text] = field(default_factory=dict)
    _taken: int = 0

    def price(self, gateway: GatewayName, body: str) -> tuple[int, int]:
        """Parts, and what they cost."""
        parts = parts_of(body)
        return parts, parts * self.accounts[gateway].price

    def take(self, gateway: GatewayName, *, identifier: str, to: str, sender: str, body: str) -> Text:
        """Take and charge a text; raises ValueError where the money does not reach."""
        parts, cost = self.price(gateway, body)
        account = self.accounts[gateway]
        if cost > account.balance:
            raise ValueError("no money")
        account.balance -= cost
        account.spent += cost
        self._taken += 1
        text = Text(self._taken, self.clock(), gateway, identifier, to, sender, body, parts, cost)
        self.texts.append(text)
        self._by_identifier[gateway, identifier, to if gateway == "smsc" else ""] = text
        return text

    def find(self, gateway: GatewayName, identifier: str, to: str = "") -> Text | None:
        """The latest text with this identifier (SMSC.ru: and this number)."""
        return self._by_identifier.get((gateway, identifier, to))

    def clear(self) -> None:
        """Forget every text; the money stays spent."""
        self.texts.clear()
        self._by_identifier.clear()
        self.answers.clear()
        self.receipts.clear()
