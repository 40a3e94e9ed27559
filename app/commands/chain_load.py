"""Bring the database to what a chain file says: what is there already stays, what differs is changed.

Nothing is ever taken away because the file does not name it: closing a venue, retiring a link and revoking a
key are commands of their own. One transaction per brand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from app.accounts import brands, keys, staff
from app.commands.chain_file import BrandPart, Chain, DesignPart, VenuePart
from app.commands.chain_google import load_google
from app.db import Database, Tx
from app.db.identifiers import PlacementId, ProgrammeId, StaffMemberId, VenueId
from app.errors import BadInput, Refused
from app.loyalty import programmes, publishing
from app.passes import designs
from app.places import links, placements, venues


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that this load made; the one time that its secret is known."""

    brand: str
    venue: str
    name: str
    id: int
    secret: str


@dataclass(slots=True)
class Report:
    """What a load did (or, checking, would do), what it warns about, and which brands it had to leave."""

    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    keys: list[NewKey] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where relative paths begin, where templates lie, who loads, and when."""

    directory: Path
    templates_dir: Path
    now: datetime
    actor: str


class _NotForReal(Exception):
    """Ends the transaction of a check without a commit."""


def load_chain(
    database: Database,
    chain: Chain,
    around: Surroundings,
    *,
    check: bool = False,
    keep_keys: Callable[[Sequence[NewKey]], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Report:
    """Load every brand, each in one transaction; a brand that is refused leaves nothing behind.

    ``keep_keys`` is given a brand's new keys and entered just before the commit, so that no secret is lost
    that opens something; it is left after the commit, or with what made that fail. With ``check`` everything
    is tried and nothing is kept.
    """
    report = Report()
    for part in chain.brands:
        one = Report()
        try:
            with ExitStack() as kept, database.write() as tx:
                _Loading(tx, part, around, one).run()
                if check:
                    raise _NotForReal
                kept.enter_context(keep_keys(one.keys))
        except _NotForReal:
            one.keys.clear()
        except Refused as refused:
            report.faults += [f"brand {part.slug}: {line}" for line in refused.message.splitlines()]
            continue
        report.changes += one.changes
        report.warnings += one.warnings
        report.keys += one.keys
    return report


class _Loading:
    """One brand in one transaction."""

    def __init__(self, tx: Tx, part: BrandPart, around: Surroundings, report: Report) -> None:
        self._tx, self._part, self._around, self._report = tx, part, around, report

    def run(self) -> None:
        self._brand = self._load_brand()
        brand_id = self._brand.id
        self._programmes = self._load_programmes()
        self._venues = {v.slug: v for v in venues.all_venues(self._tx, brand_id)}
        self._placements: dict[tuple[VenueId, str, str], PlacementId] = {
            (p.venue_id, p.kind, p.name): p.id for p in placements.placements_of_brand(self._tx, brand_id)
        }
        self._staff = {s.name: s for s in staff.staff_of_brand(self._tx, brand_id)}
        self._keys = {
            (k.venue_id, k.name) for k in keys.keys_of_brand(self._tx, brand_id) if k.expires_at is None
        }
        self._links = {
            (link.programme_id, link.venue_id, link.placement_id, link.staff_member_id)
            for link in links.links_of_brand(self._tx, brand_id)
            if link.retired_at is None
        }
        for part in tqdm(self._part.venues, desc=self._part.slug, unit="venue", disable=None, leave=False):
            self._load_venue(part)

    def _did(self, what: str) -> None:
        self._report.changes.append(f"{self._part.slug}: {what}")

    def _warn(self, what: str) -> None:
        self._report.warnings.append(f"{self._part.slug}: {what}")

    def _load_brand(self) -> brands.Brand:
        draft = self._part.draft(self._around.directory)
        there = {b.slug: b for b in brands.all_brands(self._tx)}.get(draft.slug)
        if there is None:
            made = brands.create_brand(self._tx, draft, now=self._around.now, actor=self._around.actor)
            self._did("brand created")
        else:
            brands.lock(self._tx, there.id)
            made = brands.update_brand(
                self._tx, there.id, draft, now=self._around.now, actor=self._around.actor
            )
            if made != there:
                self._did("brand changed")
        google, at = self._part.google, self._around
        if google and load_google(self._tx, made, google, at.directory, now=at.now, actor=at.actor):
            self._did("account at Google changed" if there else "account at Google set")
        if warning := brands.shared_pass_type(self._tx, made):
            self._report.warnings.append(warning)
        return made

    def _load_programmes(self) -> dict[str, ProgrammeId]:
        there = {p.slug: p for p in programmes.programmes_of_brand(self._tx, self._brand.id)}
        loaded = {}
        for part in self._part.programmes:
            if before := there.get(part.slug):
                made = programmes.update_programme(
                    self._tx,
                    before.id,
                    name=part.name,
                    rules=part.typed_rules,
                    now=self._around.now,
                    actor=self._around.actor,
                )
                if made != before:
                    self._did(f"programme {part.slug} changed")
            else:
                draft = programmes.ProgrammeDraft(
                    brand_id=self._brand.id, slug=part.slug, name=part.name, rules=part.typed_rules
                )
                made = programmes.create_programme(
                    self._tx, draft, now=self._around.now, actor=self._around.actor
                )
                self._did(f"programme {part.slug} created")
            loaded[part.slug] = made.id
            if part.design:
                self._load_design(made, part.design)
        return loaded

    def _load_design(self, programme: programmes.Programme, part: DesignPart) -> None:
        values = designs.brand_values(
            self._brand,
            rules=part.rules.localized if part.rules else None,
            colours=part.colours,
            images={name: self._image(path) for name, path in part.images.items()},
        )
        folder = self._around.templates_dir / part.template
        drafted = publishing.draft(programme, folder, values, now=self._around.now)
        made, is_new = publishing.publish(
            self._tx, programme, drafted, now=self._around.now, actor=self._around.actor
        )
        if is_new:
            self._did(f"programme {programme.slug}: design version {made.version} published")
        self._report.warnings += [
            f"{self._part.slug}, programme {programme.slug}: {finding}"
            for finding in designs.warnings(made)
            if finding.severity == "warn"
        ]

    def _image(self, path: str) -> bytes:
        try:
            return (self._around.directory / path).read_bytes()
        except OSError as fault:
            raise BadInput("no-image", f"image {path}: cannot read it: {fault.strerror}") from None

    def _load_venue(self, part: VenuePart) -> None:
        draft = part.draft(self._brand.id)
        before = self._venues.get(part.slug)
        if before is None:
            venue = venues.create_venue(self._tx, draft, now=self._around.now, actor=self._around.actor)
            self._did(f"venue {part.slug} created")
        elif before.closed_at is not None:
            self._warn(f"venue {part.slug} was closed and is left as it is: take it out of the file")
            return
        else:
            venue = venues.update_venue(
                self._tx, before.id, draft, now=self._around.now, actor=self._around.actor
            )
            if venue != before:
                self._did(f"venue {part.slug} changed")
        places = [self._placement(venue, p.kind, p.name) for p in part.placements]
        people = [one for name in part.staff if (one := self._staff_member(venue, name)) is not None]
        for name in part.keys:
            self._key(venue, name)
        wanted = self._programmes if part.programmes is None else part.programmes
        for slug in wanted:
            self._link(slug, venue, None, None)
            for placement_id in places:
                self._link(slug, venue, placement_id, None)
            for staff_member_id in people:
                self._link(slug, venue, None, staff_member_id)

    def _placement(self, venue: venues.Venue, kind: str, name: str) -> PlacementId:
        if there := self._placements.get((venue.id, kind, name)):
            return there
        made = placements.create_placement(
            self._tx, venue_id=venue.id, kind=kind, name=name, now=self._around.now, actor=self._around.actor
        )
        self._did(f"venue {venue.slug}: placement {kind} {name} created")
        return made.id

    def _staff_member(self, venue: venues.Venue, name: str) -> StaffMemberId | None:
        """None for one who has left: they invite nobody."""
        if there := self._staff.get(name):
            if there.left_at is not None:
                self._warn(f"venue {venue.slug}: {name} has left: take the name out of the file")
                return None
            moved = staff.move_staff_member(
                self._tx, there.id, venue_id=venue.id, now=self._around.now, actor=self._around.actor
            )
            if moved != there:
                self._did(f"venue {venue.slug}: {name} moved here")
            return there.id
        made = staff.create_staff_member(
            self._tx,
            brand_id=self._brand.id,
            venue_id=venue.id,
            name=name,
            now=self._around.now,
            actor=self._around.actor,
        )
        self._did(f"venue {venue.slug}: staff member {name} created")
        return made.id

    def _key(self, venue: venues.Venue, name: str) -> None:
        if (venue.id, name) in self._keys:
            return
        made, secret = keys.create_key(
            self._tx,
            brand_id=self._brand.id,
            venue_id=venue.id,
            name=name,
            now=self._around.now,
            actor=self._around.actor,
        )
        self._report.keys.append(NewKey(self._brand.slug, venue.slug, name, made.id, secret))
        self._did(f"venue {venue.slug}: key {name} created")

    def _link(
        self,
        programme: str,
        venue: venues.Venue,
        placement_id: PlacementId | None,
        staff_member_id: StaffMemberId | None,
    ) -> None:
        programme_id = self._programmes[programme]
        if (programme_id, venue.id, placement_id, staff_member_id) in self._links:
            return
        made = links.create_link(
            self._tx,
            programme_id=programme_id,
            venue_id=venue.id,
            placement_id=placement_id,
            staff_member_id=staff_member_id,
            now=self._around.now,
            actor=self._around.actor,
        )
        self._did(f"venue {venue.slug}: install link {made.code} created")
