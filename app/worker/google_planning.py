"""Claimed changes with what each of them asks of Google, made while the transaction is open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.db import Tx
from app.db.identifiers import BrandId, GoogleBroadcastId, GoogleClassId, GoogleObjectId, ProgrammeId
from app.delivery import google, store_google_quota
from app.delivery.google_promises import HANDED_TO_CARDS, ClaimedGoogle
from app.delivery.store_google_quota import Noted
from app.passes import google_broadcasts, google_ids, store_google, store_google_broadcasts
from app.passes.google_class import GoogleDesign
from app.passes.google_object import MOST_MESSAGES
from app.passes.google_press import GooglePress
from app.passes.store_google import ClassRow, Wanted
from app.passes.store_google_broadcasts import BroadcastRow
from app.worker.google_plans import Plan, plan_broadcast, plan_class, plan_object

NO_DESIGN = "NoGoogleDesign"
IN_PARTS = "InParts"
"""Why a broadcast goes back: its cards are counted, or handed to, some hundred in a transaction."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A claimed change, its plan, and the class that must be there first."""

    claimed: ClaimedGoogle
    plan: Plan
    after_class: GoogleClassId | None = None


@dataclass(frozen=True, slots=True)
class Sorted:
    """Claimed changes by what becomes of them."""

    ready: tuple[Planned, ...]
    over: Mapping[ClaimedGoogle, str]  # nothing need be asked; the reason
    gone: Mapping[ClaimedGoogle, str]  # there is nothing to ask
    too_early: tuple[ClaimedGoogle, ...]  # their class is on its way elsewhere
    refused: tuple[ClaimedGoogle, ...]  # Google does not take their class as it is
    again: tuple[ClaimedGoogle, ...]  # broadcasts that more cards are counted for, or handed, at once


class Planning:
    """The plans of one issuer's claim."""

    def __init__(self, tx: Tx, press: GooglePress, brands: Sequence[BrandId], *, now: datetime) -> None:
        self._tx, self._press, self._brands, self._now = tx, press, brands, now
        self._classes: dict[tuple[ProgrammeId, str], ClassRow] = {}
        self._over: dict[ClaimedGoogle, str] = {}
        self._gone: dict[ClaimedGoogle, str] = {}
        self._again: list[ClaimedGoogle] = []
        self._walked = False  # a transaction walks over the cards of one broadcast, and one part of them

    def sort(self, claimed: Sequence[ClaimedGoogle], *, owner: str, lease: timedelta) -> Sorted:
        """Plan all of them; classes that they need and nobody is about to send are claimed as well."""
        about = {one.object_id: one for one in claimed if one.object_id is not None}
        wanted = self._wanted(about.keys())
        designs = {each.design_id: self._press.design(self._tx, each.design_id) for each in wanted.values()}
        of_class = {
            row_id: self._class_of(each, design)
            for row_id, each in wanted.items()
            if (design := designs[each.design_id]) is not None
        }
        classes = [one for one in claimed if one.class_id is not None]
        missing = {row.id: row for row in of_class.values() if row.accepted_at is None}
        refused = {row.id for row in missing.values() if self._press.is_refused(self._tx, row)}
        if missing := {row_id: row for row_id, row in missing.items() if row_id not in refused}:
            self._press.promise_classes(self._tx, list(missing.values()), now=self._now)
            classes += google.claim_classes(
                self._tx,
                owner=owner,
                brands=self._brands,
                now=self._now,
                lease=lease,
                limit=len(missing),
            )
        sent_now = self._plan_classes(classes)
        going = {one.plan.class_id for one in sent_now}
        ledgers = store_google_quota.ledgers(self._tx, list(wanted), now=self._now) if wanted else {}
        too_early: list[ClaimedGoogle] = []
        ready, noted = [*sent_now, *self._plan_broadcasts(claimed, too_early)], []
        hopeless: list[ClaimedGoogle] = []
        moved: dict[GoogleObjectId, GoogleClassId] = {}
        for row_id, one in about.items():
            each = wanted.get(row_id)
            design = designs.get(each.design_id) if each else None
            if each is None or design is None:
                self._gone[one] = NO_DESIGN
                continue
            row = of_class[row_id]
            if row.accepted_at is None and row.id not in going:
                (hopeless if row.id in refused else too_early).append(one)
                continue
            plan = plan_object(
                one,
                each.row,
                each.content,
                self._press.object_body(design, each, row.resource_id),
                design=design,
                class_id=row.id,
                ledger=ledgers.get(row_id, {}),
                now=self._now,
            )
            if plan.class_id is not None and each.row.google_class_id not in (None, plan.class_id):
                moved[row_id] = plan.class_id
            own = ledgers.get(row_id, {}).get(one.id)
            if plan.how:
                noted.append(Noted(one.id, row_id, plan.how, "asked"))
            elif plan.held and (own is None or own.outcome != "quota"):
                noted.append(Noted(one.id, row_id, plan.held, "held"))
            if plan.step == "nothing":
                self._over[one] = plan.done
            else:
                ready.append(Planned(one, plan, row.id if row.accepted_at is None else None))
        noted += google_broadcasts.counted_for_movers(self._tx, moved)
        store_google_quota.note(self._tx, noted, now=self._now)
        return Sorted(
            tuple(ready), self._over, self._gone, tuple(too_early), tuple(hopeless), tuple(self._again)
        )

    def _wanted(self, ids: Collection[GoogleObjectId]) -> dict[GoogleObjectId, Wanted]:
        """What the cards should say, with what was said to their classes and handed to them."""
        wanted = store_google.wanted(self._tx, ids) if ids else {}
        handed = google_broadcasts.handed(self._tx, [one.row for one in wanted.values()], now=self._now)
        for row_id, one in wanted.items() if handed else ():
            own = handed.get(one.row.google_class_id or GoogleClassId(0), [])
            wanted[row_id] = replace(one, content=google_broadcasts.with_handed(one.content, one.row, own))
        return wanted

    def _plan_broadcasts(
        self, claimed: Sequence[ClaimedGoogle], too_early: list[ClaimedGoogle]
    ) -> list[Planned]:
        """One message to a class where all its cards may be notified, else one to each of them."""
        about = {one.broadcast_id: one for one in claimed if one.broadcast_id is not None}
        rows = store_google_broadcasts.broadcasts(self._tx, about.keys()) if about else {}
        planned = []
        for row_id, one in about.items():
            row = rows[row_id]
            of_class = store_google.classes(self._tx, [row.google_class_id])[row.google_class_id]
            said = google_broadcasts.as_message(row)
            somebody = store_google_broadcasts.next_holders(self._tx, of_class.id, after=0, limit=1)
            message = self._press.broadcast(self._tx, of_class, said, notify=bool(somebody))
            if message is None:
                self._gone[one] = NO_DESIGN
            elif row.way == "cards":
                self._hand_on(one, row)
            elif of_class.accepted_at is None:
                self._press.promise_classes(self._tx, [of_class], now=self._now)
                too_early.append(one)
            elif row.doubted_at is not None or self._is_counted(one, row):
                plan = plan_broadcast(row, of_class, message, self._older(of_class), held=bool(somebody))
                planned.append(Planned(one, plan))
        return planned

    def _is_counted(self, one: ClaimedGoogle, row: BroadcastRow) -> bool:
        """Whether it is counted for every card, and may be said; else it goes on with the next ones."""
        if self._walked:
            self._again.append(one)
            return False
        self._walked = True
        counted = google_broadcasts.count(self._tx, row, one.id, now=self._now)
        if counted == "full":
            self._walked = False
            self._hand_on(one, row)
        elif counted == "more":
            self._again.append(one)
        return counted == "all"

    def _hand_on(self, one: ClaimedGoogle, row: BroadcastRow) -> None:
        if self._walked:
            self._again.append(one)
            return
        self._walked = True
        if google_broadcasts.hand_on(self._tx, row, one.id, one.brand_id, now=self._now):
            self._again.append(one)
        else:
            self._over[one] = HANDED_TO_CARDS

    def _older(self, of_class: ClassRow) -> list[tuple[GoogleBroadcastId, Mapping[str, Any]]]:
        """What Google has on the class, the newest first."""
        there = store_google_broadcasts.on_class(self._tx, of_class.id)
        if len(there) < MOST_MESSAGES:
            return []
        said = [(row.id, google_broadcasts.as_message(row)) for row in there]
        bodies = [(one, self._press.broadcast(self._tx, of_class, each, notify=False)) for one, each in said]
        return [(one, body) for one, body in bodies if body is not None]

    def _plan_classes(self, claimed: Sequence[ClaimedGoogle]) -> list[Planned]:
        rows = store_google.classes(self._tx, [one.class_id for one in claimed if one.class_id is not None])
        planned = []
        for one in claimed:
            row = rows.get(one.class_id) if one.class_id is not None else None
            body = self._press.class_body(self._tx, row) if row else None
            if row is None or body is None:
                self._gone[one] = NO_DESIGN
                continue
            plan = plan_class(row, body)
            if plan.step == "nothing":
                self._over[one] = plan.done
            else:
                planned.append(Planned(one, plan))
        return planned

    def _class_of(self, each: Wanted, design: GoogleDesign) -> ClassRow:
        """Of a pass, by its programme and tier; tombstones are apart from the living."""
        over = each.content.voided
        tier = None if over else design.tier(each.content.tier)
        key = (each.programme_id, google_ids.OVER if over else google_ids.tier_key(tier))
        if key not in self._classes:
            self._classes[key] = self._press.class_of(
                self._tx,
                each.row.issuer_id,
                each.row.brand_id,
                each.programme_id,
                tier,
                over=over,
                now=self._now,
            )
        return self._classes[key]
