"""What the SMPP centre took: every part, in order, with what it cost; whole texts; receipts and who took
them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.simulators.smpp_wire import Submitted


@dataclass(frozen=True, slots=True)
class Part:
    """One part that was taken and charged."""

    entry: int  # counts from 1 and never repeats
    at: float  # UNIX seconds
    account: str  # system_id
    message_id: str  # as the answer has it
    value: int  # the same as a number
    submitted: Submitted
    answered: bool  # False: the answer was lost on purpose


@dataclass(frozen=True, slots=True)
class Text:
    """A text as a handset shows it: all parts joined."""

    account: str
    sender: str
    number: str
    text: str
    message_ids: tuple[str, ...]


@dataclass(slots=True)
class Log:
    """Used from the simulator's event loop only."""

    clock: Callable[[], float]
    price: int  # of a part, in minor units
    parts: list[Part] = field(default_factory=list)
    spent: int = 0
    answers: Counter[int] = field(default_factory=Counter)  # command_status of submit_sm_resp: how often
    deliveries: Counter[int] = field(default_factory=Counter)  # command_status of deliver_sm_resp
    binds: Counter[str] = field(default_factory=Counter)  # "transceiver", "transmitter", "receiver"
    enquiries: int = 0  # enquire_link of the other side
    garbled: int = 0  # answers that no request of ours wants

    def take(self, account: str, submitted: Submitted, name: Callable[[int], str], *, answered: bool) -> Part:
        """Charge and remember a part. ``name`` writes its number as an identifier."""
        entry = len(self.parts) + 1
        value = 0x1F00_0000 + entry * 0x101
        part = Part(entry, self.clock(), account, name(value), value, submitted, answered)
        self.parts.append(part)
        self.spent += self.price
        return part

    def texts(self) -> list[Text]:
        """Every text whose parts have all come, once for each time that they all came."""
        whole: list[Text] = []
        begun: dict[tuple[str, str, str, int, int], dict[int, Part]] = {}
        for part in self.parts:
            said = part.submitted
            key = (part.account, said.sender, said.number, said.reference, said.parts)
            pieces = begun.setdefault(key, {})
            pieces[said.part] = part
            if len(pieces) == said.parts:
                del begun[key]
                ordered = [pieces[number] for number in sorted(pieces)]
                whole.append(
                    Text(
                        part.account,
                        said.sender,
                        said.number,
                        "".join(piece.submitted.text for piece in ordered),
                        tuple(piece.message_id for piece in ordered),
                    )
                )
        return whole
