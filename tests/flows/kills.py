"""Kills at random moments of a busy day, what is seen until everything goes on, and the books in the end."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tests.flows.load import Load, Pace, Receipt
from tests.flows.victims import LEASE, Kind, Victims, kinds
from tests.flows.witness import Books, Witness

REPEATED = 200
"""Receipts of a round that are sent once more at its end, beside all that had been sent twice already."""
BUSY = Pace()
_GIVEN_UP = 120.0
# granian takes the death of a web process that it restarted so shortly before for a fault that another one
# would not mend, and ends the service.
_CALM = 6.0


@dataclass(frozen=True, slots=True)
class Kill:
    """What became of one; seconds since the kill."""

    number: int
    kind: Kind
    moment: float  # seconds into the round
    back: float  # what was killed runs again
    answered: float  # a receipt that was begun after the kill
    pushed: float  # what such a receipt changed is on the phone
    caught_up: float  # every phone shows what was rung up before the kill

    @property
    def recovered(self) -> float:
        """Everything goes on."""
        return max(self.answered, self.pushed, self.caught_up)

    @property
    def late(self) -> float:
        """Beyond what had to be waited for: that it runs again, and that the dead's leases end."""
        return max(0.0, self.recovered - max(LEASE, self.back))


@dataclass(slots=True)
class Round:
    """What one installation went through, and what was found in the end."""

    kills: list[Kill] = field(default_factory=list)
    receipts: int = 0
    enrolments: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)  # phones that do not show the last version
    interrupted: int = 0  # receipts that a till had to ask for more than once
    repeated: int = 0  # receipts that were sent once more in the end
    rescued: int = 0  # promises taken back from dead workers
    silences: int = 0  # requests that nobody answered
    unavailable: int = 0  # answers of 503
    faults: int = 0  # other answers of 5xx

    @property
    def findings(self) -> list[str]:
        """Everything that may not be, in words."""
        return [
            *(f"lost: {one}" for one in self.lost),
            *(f"doubled: {one}" for one in self.doubled),
            *(f"half-written: {one}" for one in self.halves),
            *(f"behind: {one}" for one in self.behind),
            *([f"{self.faults} answers of 5xx that nobody foresaw"] if self.faults else []),
        ]


def run(victims: Victims, *, times: int, seed: int, tell: Callable[[str], None], pace: Pace = BUSY) -> Round:
    """Kill each kind so many ``times`` under load, each at a moment that ``seed`` draws, then judge.

    Raises AssertionError where something does not come back at all, or a till gets a wrong answer.
    """

    async def whole() -> Round:
        found = Round()
        witness = Witness(victims.database_url)
        drawn = order(kinds(embedded=victims.installation.embedded), times, random.Random(seed))
        settings = victims.phone_settings
        async with Load(victims.installation, settings, random.Random(seed), pace) as load:
            await _kill_all(found, victims, load, witness, drawn, random.Random(seed), tell)
            await load.close()
            await _judge(found, load, witness)
        said = re.findall(r'"count": (\d+), "event": "deliveries_rescued"', victims.installation.log())
        found.rescued = sum(map(int, said))
        return found

    return asyncio.run(whole())


def order(each: Sequence[Kind], times: int, luck: random.Random) -> list[Kind]:
    """Every kind so many times, mixed, and none twice in a row."""
    drawn: list[Kind] = []
    for _ in range(times):
        turn = list(each)
        luck.shuffle(turn)
        while drawn and turn[0] == drawn[-1]:
            luck.shuffle(turn)
        drawn += turn
    return drawn


async def _kill_all(
    found: Round,
    victims: Victims,
    load: Load,
    witness: Witness,
    drawn: Sequence[Kind],
    luck: random.Random,
    tell: Callable[[str], None],
) -> None:
    began, web_since = time.monotonic(), 0.0
    for number, kind in enumerate(drawn, 1):
        wait = luck.uniform(0.2, 1.2)
        if kind == "web":
            wait = max(wait, web_since + _CALM - time.monotonic())
        await asyncio.sleep(wait)
        kill = await _kill(victims, load, number, kind, luck, began)
        if kind == "web":
            web_since = time.monotonic()
        found.kills.append(kill)
        found.halves += [f"after kill {number}: {one}" for one in await asyncio.to_thread(witness.halves)]
        tell(
            f"{number:4d} {kind:<10} at {kill.moment:6.2f} s: runs again {kill.back:5.2f} s, "
            f"answers {kill.answered:5.2f} s, pushes {kill.pushed:5.2f} s, caught up {kill.caught_up:5.2f} s"
        )


async def _kill(
    victims: Victims, load: Load, number: int, kind: Kind, luck: random.Random, began: float
) -> Kill:
    promised, already = load.promised(), len(load.receipts)
    load.spare(0.5)
    revive = await asyncio.to_thread(victims.kill, kind, luck)
    killed = time.monotonic()
    reviving = asyncio.create_task(asyncio.to_thread(revive))
    back = answered = pushed = caught_up = 0.0
    while not (back and answered and pushed and caught_up):
        load.faulty()
        since = time.monotonic() - killed
        if since > _GIVEN_UP:
            raise AssertionError(
                f"{since:.0f} s after kill {number} ({kind}): runs again {back}, answered {answered}, pushed "
                f"{pushed}; {'; '.join(load.behind(promised)) or 'every phone caught up'}"
            )
        new = [receipt for receipt in load.receipts[already:] if receipt.began >= killed]
        if new:
            answered = answered or min(receipt.answered for receipt in new) - killed
        if any(_is_seen(receipt) for receipt in new):
            pushed = pushed or since
        if load.still() and not load.behind(promised | load.promised_to_the_spared()):
            caught_up = caught_up or since
        if reviving.done():
            reviving.result()
            back = back or since
        await asyncio.sleep(0.01)
    load.spare(0)
    return Kill(number, kind, killed - began, back, answered, pushed, caught_up)


def _is_seen(receipt: Receipt) -> bool:
    return receipt.holder.shown() >= receipt.balance


async def _judge(found: Round, load: Load, witness: Witness) -> None:
    """Everything was answered: now the books, the phones and the tills must say the same."""
    promised = load.promised()
    deadline = time.monotonic() + LEASE + _GIVEN_UP
    while load.behind(promised) or (await asyncio.to_thread(witness.unsettled)) > 0:
        if time.monotonic() > deadline:
            found.behind += await asyncio.to_thread(lambda: witness.overdue(now=datetime.now(UTC)))
            break
        await asyncio.sleep(0.1)
    found.receipts = len(load.receipts)
    found.enrolments = len(load.holders) + len(load.guests)
    found.behind += load.behind(promised)
    found.halves += await asyncio.to_thread(witness.halves)
    books = await asyncio.to_thread(witness.books)
    _compare(found, load, books)
    for holder in load.holders:
        told = await load.told(holder)
        if told != promised[holder.key]:
            found.lost.append(f"{holder.phone.name}: tills were told {promised[holder.key]}, now {told}")
    await _repeat(found, load)
    found.silences, found.faults = load.weather.silences, load.weather.faults
    found.unavailable = load.weather.refusals[503]


def _compare(found: Round, load: Load, books: Books) -> None:
    acknowledged = {receipt.number: receipt.points for receipt in load.receipts}
    found.lost += [
        f"receipt {number}" for number, points in acknowledged.items() if books.receipts.get(number) != points
    ]
    found.doubled += [f"receipt {number}" for number in books.doubled]
    found.doubled += [f"unasked receipt {number}" for number in books.receipts.keys() - acknowledged.keys()]
    for holder in load.holders:
        due = holder.welcome + sum(one.points for one in load.receipts if one.holder.key == holder.key)
        booked, shown = books.points.get(holder.code, 0), holder.shown()
        if not due == booked == shown:
            words = f"{holder.phone.name}: {due} due, {booked} in the ledger, {shown} shown"
            (found.lost if min(booked, shown) < due else found.doubled).append(words)
        modified = holder.card.last_modified
        if modified and parsedate_to_datetime(modified) != books.last_modified[holder.key[1]]:
            found.behind.append(f"{holder.phone.name} holds the version of {modified}")
    given = [holder.code for holder in load.holders] + load.guests
    found.doubled += [f"card {code}" for code in sorted(set(given)) if given.count(code) > 1]
    found.doubled += [f"card {code} that nobody was given" for code in books.points.keys() - set(given)]
    found.lost += [f"card {code}" for code in set(given) - books.points.keys()]


async def _repeat(found: Round, load: Load) -> None:
    """The same key gives the first answer, and nothing more."""
    twice = [receipt for receipt in load.receipts if receipt.tries > 1]
    found.interrupted = len(twice)
    sample = random.Random(0).sample(load.receipts, min(REPEATED, len(load.receipts)))
    for receipt in [*twice, *sample]:
        answer = await load.repeated(receipt)
        found.repeated += 1
        if (answer.status_code, answer.json()) != (receipt.status, receipt.answer):
            found.doubled.append(f"receipt {receipt.number} is answered otherwise the second time")
