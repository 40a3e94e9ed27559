"""The way to Google Wallet: each request at its departure, those that leave together in one batch.

A patch goes before its message, a class before its objects. Nothing is repeated here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from app.db.identifiers import BrandId, DeliveryId, GoogleClassId
from app.google.answers import Answer, Verdict
from app.google.calls import Call
from app.google.client import GoogleWallet
from app.worker.google_parcels import GoogleAccount, GoogleAnswered, GoogleReady

log = structlog.get_logger()

MOST_IN_A_BATCH: Final = 100
FEWEST_IN_A_BATCH: Final = 4
"""Fewer leave each on its own: a receipt does not wait for its neighbours."""
TOGETHER: Final = 0.1
"""Seconds within which departures make one batch: so little more than the rate leaves in any second."""
CALLED_BACK: Final = "NotSentInTime"
STOPPED: Final = "AccountStopped"
CLASS_NOT_READY: Final = "ClassNotReady"

Report = Callable[[Sequence[GoogleAnswered]], None]


class GoogleChannel:
    """Brands' accounts and their clients. Whatever is awaited here runs in one loop."""

    def __init__(self, accounts: Mapping[BrandId, GoogleAccount]) -> None:
        """``accounts`` by brand; they may be replaced, see :meth:`serve`."""
        self.accounts: dict[BrandId, GoogleAccount] = dict(accounts)
        self._stopped: dict[BrandId, float] = {}
        self._waiting: dict[DeliveryId, tuple[GoogleReady, Report]] = {}  # nothing was asked yet
        self._holding = False

    async def serve(self, accounts: Mapping[BrandId, GoogleAccount]) -> None:
        """Go on with these: somebody uploaded a key, or took an account away."""
        gone = [known for brand, known in self.accounts.items() if accounts.get(brand) is not known]
        self.accounts = dict(accounts)
        await asyncio.gather(*(each.wallet.close() for each in gone))

    async def send(self, ready: Sequence[GoogleReady], report: Report) -> None:
        """Ask for all of them: classes first, then what leaves together, together."""
        self._waiting |= {one.id: (one, report) for one in ready}
        if self._holding:
            await self.hold()
        begun: dict[GoogleClassId, asyncio.Future[bool]] = {}
        loop = asyncio.get_running_loop()
        for one in ready:
            if one.claimed.class_id is not None:
                begun[one.claimed.class_id] = loop.create_future()
        try:
            await asyncio.gather(*(self._carry(group, begun, report) for group in _groups(ready)))
        finally:
            for future in begun.values():
                future.cancel()

    async def hold(self) -> None:
        """Ask for nothing any more, and give back what was not asked for: others may do it."""
        self._holding = True
        while self._waiting:
            _, (one, report) = self._waiting.popitem()
            report([GoogleAnswered(ready=one, untried=CALLED_BACK)])

    async def refresh(self) -> None:
        """Tokens renew themselves."""

    async def close(self) -> None:
        """Close connections."""
        await asyncio.gather(*(each.wallet.close() for each in self.accounts.values()))

    async def _carry(
        self,
        group: Sequence[GoogleReady],
        begun: Mapping[GoogleClassId, asyncio.Future[bool]],
        report: Report,
    ) -> None:
        everyone, (group, answered) = group, await self._may_leave(group, begun)
        report(answered)
        _tell([one for one in everyone if one not in group], begun, there=False)
        firsts = [(one, one.plan.first) for one in group if one.plan.first is not None]
        came = dict(zip([one.id for one, _ in firsts], await self._ask(firsts, first=True), strict=True))
        _tell([one for one in group if _is_there(came.get(one.id))], begun, there=True)
        _tell(group, begun, there=False)
        following = [one for one in group if one.plan.message is not None and _goes_on(came.get(one.id))]
        over = [GoogleAnswered(ready=one, first=came.get(one.id)) for one in group if one not in following]
        report(over)
        messages = [(one, one.plan.message) for one in following if one.plan.message is not None]
        told = await self._ask(messages, first=False)
        report(
            [
                GoogleAnswered(ready=one, first=came.get(one.id), message=answer)
                for one, answer in zip(following, told, strict=True)
            ]
        )

    async def _may_leave(
        self, group: Sequence[GoogleReady], begun: Mapping[GoogleClassId, asyncio.Future[bool]]
    ) -> tuple[list[GoogleReady], list[GoogleAnswered]]:
        """Wait for the departure of a group, and for its classes; what must not leave is answered."""
        await asyncio.sleep(max(0.0, max(one.leaves[0] for one in group) - time.monotonic()))
        left: list[GoogleReady] = []
        answered: list[GoogleAnswered] = []
        for one in group:
            future = begun.get(one.after_class) if one.after_class is not None else None
            there = await asyncio.shield(future) if future is not None else True
            if self._waiting.pop(one.id, None) is None:
                continue  # given back meanwhile
            brand = one.claimed.brand_id
            if time.monotonic() > one.too_late:
                answered.append(GoogleAnswered(ready=one, untried=CALLED_BACK))
            elif one.prepared <= self._stopped.get(brand, -1.0) or brand not in self.accounts:
                answered.append(GoogleAnswered(ready=one, untried=STOPPED))
            elif not there:
                answered.append(GoogleAnswered(ready=one, untried=CLASS_NOT_READY))
            else:
                left.append(one)
        return left, answered

    async def _ask(self, asked: Sequence[tuple[GoogleReady, Call]], *, first: bool) -> list[Answer]:
        """The answers, in order; a group is one brand's."""
        if not asked:
            return []
        brand = asked[0][0].claimed.brand_id
        if not first:
            leaves = max(one.leaves[-1] for one, _ in asked)
            await asyncio.sleep(max(0.0, leaves - time.monotonic()))
        if (account := self.accounts.get(brand)) is None:  # it was taken away meanwhile
            return [Answer(verdict=Verdict.RETRY, reason=STOPPED)] * len(asked)
        try:
            leave_by = min(one.too_late if first else one.message_by for one, _ in asked)
            answers = await _request(account.wallet, [call for _, call in asked], leave_by)
        except Exception as fault:  # it may have happened
            log.exception("google_request_failed", issuer=account.issuer_id)
            answers = [Answer(verdict=Verdict.LOST, reason=type(fault).__name__)] * len(asked)
        if any(answer.verdict is Verdict.DENIED for answer in answers):
            self._stopped[brand] = time.monotonic()
        return answers


async def _request(wallet: GoogleWallet, calls: Sequence[Call], leave_by: float) -> list[Answer]:
    if len(calls) < FEWEST_IN_A_BATCH:
        return list(await asyncio.gather(*(wallet.send(call, leave_by=leave_by) for call in calls)))
    return await wallet.batch(calls, leave_by=leave_by)


def _tell(
    classes: Sequence[GoogleReady], begun: Mapping[GoogleClassId, asyncio.Future[bool]], *, there: bool
) -> None:
    """Tell objects that wait whether their classes are there."""
    for one in classes:
        future = begun.get(one.claimed.class_id) if one.claimed.class_id is not None else None
        if future is not None and not future.done():
            future.set_result(there)


def _is_there(answer: Answer | None) -> bool:
    return answer is not None and answer.verdict in (Verdict.ACCEPTED, Verdict.EXISTS)


def _goes_on(first: Answer | None) -> bool:
    """Whether the message may follow: not without a holder, nor without the change that it tells of."""
    return first is None or (first.verdict is Verdict.ACCEPTED and first.has_users is not False)


def _groups(ready: Sequence[GoogleReady]) -> list[list[GoogleReady]]:
    """What leaves together: of one account, within :data:`TOGETHER`; few leave each on its own."""
    groups: list[list[GoogleReady]] = []
    by_account: dict[tuple[BrandId, bool], list[GoogleReady]] = {}
    for one in ready:
        by_account.setdefault((one.claimed.brand_id, one.claimed.class_id is not None), []).append(one)
    for own in by_account.values():
        group: list[GoogleReady] = []
        for one in sorted(own, key=lambda each: each.leaves[0]):
            if group and (len(group) == MOST_IN_A_BATCH or one.leaves[0] > group[0].leaves[0] + TOGETHER):
                groups += _single_if_few(group)
                group = []
            group.append(one)
        groups += _single_if_few(group)
    return groups


def _single_if_few(group: list[GoogleReady]) -> list[list[GoogleReady]]:
    return [group] if len(group) >= FEWEST_IN_A_BATCH else [[one] for one in group]


def unanswered(one: GoogleReady, reason: str) -> GoogleAnswered:
    """A change of which nobody knows what became."""
    lost = Answer(verdict=Verdict.LOST, reason=reason)
    return GoogleAnswered(
        ready=one,
        first=lost if one.plan.first is not None else None,
        message=lost if one.plan.message is not None else None,
    )
