"""What bodies need beside a pass: designs taken apart, kept between them, and what classes should say."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, Final

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import BrandId, DesignId, GoogleClassId, GoogleIssuerId, ProgrammeId
from app.delivery import google
from app.delivery.google_promises import GooglePromise
from app.passes import designs, google_ids, google_patches, store_designs, store_google, store_google_public
from app.passes.content import LocalizedText, PassIdentity
from app.passes.content import Message as Said
from app.passes.google_addresses import Addresses
from app.passes.google_class import CLASS_FIELDS, GoogleDesign, Sharing, class_body, prepare
from app.passes.google_object import message_body, object_body
from app.passes.store_google import ClassRow, Wanted
from app.places import venues

MOST_DESIGNS: Final = 64


class GooglePress:
    """One per process, shared by its threads."""

    def __init__(self, addresses: Addresses) -> None:
        """``addresses`` are this installation's."""
        self.addresses = addresses
        self._designs: OrderedDict[DesignId, GoogleDesign | None] = OrderedDict()
        self._lock = Lock()

    def design(self, tx: Tx, design_id: DesignId) -> GoogleDesign | None:
        """A design version taken apart, its images kept where Google finds them; None: it has no Google."""
        with self._lock:
            if design_id in self._designs:
                self._designs.move_to_end(design_id)
                return self._designs[design_id]
        whole = designs.design(tx, design_id)
        made = prepare(whole)
        if made is not None:
            images = {digest: whole.files[path] for path, digest in made.images.items()}
            if store_google_public.keep_images(tx, images):
                return made  # kept once they are there for sure: this transaction may yet come to nothing
        with self._lock:
            self._designs[design_id] = made
            while len(self._designs) > MOST_DESIGNS:
                self._designs.popitem(last=False)
        return made

    def object_body(self, design: GoogleDesign, wanted: Wanted, class_resource_id: str) -> dict[str, Any]:
        """What an object should be now, but for its messages."""
        withdrawal = self.addresses.withdrawal(wanted.row.pass_id, wanted.key_version)
        return object_body(
            design,
            wanted.content,
            PassIdentity(wanted.pass_type_identifier, wanted.serial_number, "", withdrawal),
            resource_id=wanted.row.resource_id,
            class_id=class_resource_id,
            addresses=self.addresses,
        )

    def class_body(self, tx: Tx, row: ClassRow) -> dict[str, Any] | None:
        """What a class should be now: of the programme's newest design version, which all its cards share."""
        newest = store_designs.newest_id(tx, row.programme_id)
        design = self.design(tx, newest) if newest is not None else None
        if design is None:
            return None
        brand = brands.brand(tx, row.brand_id)
        places = [
            (venue.latitude, venue.longitude)
            for venue in venues.open_venues(tx, row.brand_id)
            if venue.latitude is not None and venue.longitude is not None
        ]
        sharing = Sharing(
            brand_name=brand.name,
            language=brand.language,
            currency=brand.currency,
            places=places,
            addresses=self.addresses,
        )
        return class_body(design, sharing, resource_id=row.resource_id, tier=row.tier)

    def broadcast(self, tx: Tx, row: ClassRow, said: Said, *, notify: bool) -> dict[str, Any] | None:
        """A message to all holders of the class; None where its design has no Google any more."""
        newest = store_designs.newest_id(tx, row.programme_id)
        design = self.design(tx, newest) if newest is not None else None
        if design is None:
            return None
        return message_body(design, said, brands.brand(tx, row.brand_id).language, notify=notify)

    def class_of(
        self,
        tx: Tx,
        issuer_id: GoogleIssuerId,
        brand_id: BrandId,
        programme_id: ProgrammeId,
        tier: LocalizedText | None,
        *,
        over: bool = False,
        now: datetime,
    ) -> ClassRow:
        """The class that cards of a programme are of, or of its tier; a new one is not at Google yet.

        ``over``: that of its tombstones, whose ``tier`` is None.
        """
        key = google_ids.OVER if over else google_ids.tier_key(tier)
        known = store_google.class_for(tx, issuer_id, programme_id, google_ids.FAMILY, key)
        if known is not None:
            return known
        made = ClassRow(
            id=GoogleClassId(0),
            issuer_id=issuer_id,
            resource_id=google_ids.class_id(issuer_id, programme_id, key),
            brand_id=brand_id,
            programme_id=programme_id,
            tier_key=key,
            tier=tier,
            sent=None,
            accepted_at=None,
        )
        store_google.add_class(tx, made, google_ids.FAMILY, now=now)
        known = store_google.class_for(tx, issuer_id, programme_id, google_ids.FAMILY, key)
        if known is None:
            raise LookupError(made.resource_id)
        return known

    def promise_classes(self, tx: Tx, rows: Sequence[ClassRow], *, now: datetime) -> None:
        """Promise classes to Google, as far as they are not promised yet."""
        promises = [
            GooglePromise(brand_id=row.brand_id, target=row.id, kind="class", due_at=now) for row in rows
        ]
        google.promise(tx, promises, now=now)

    def promise_changed_classes(self, tx: Tx, *, now: datetime) -> int:
        """Promise those that should say something else than Google has; returns how many.

        For what changes without any card: a version that was published, a brand's name, a venue. A class is
        patched on real changes alone. Call it once a minute or so: it reads the few classes there are.
        """
        changed = []
        for row in store_google.every_class(tx):
            body = self.class_body(tx, row)
            if body is None or _was_refused(row, body):
                continue
            if google_patches.patch(body, row.sent, CLASS_FIELDS):
                changed.append(row)
        self.promise_classes(tx, changed, now=now)
        return len(changed)

    def is_refused(self, tx: Tx, row: ClassRow) -> bool:
        """Whether Google would not take the class as it should be now."""
        body = self.class_body(tx, row) if row.refused is not None else None
        return body is not None and _was_refused(row, body)


def _was_refused(row: ClassRow, body: Mapping[str, Any]) -> bool:
    return row.refused == google_patches.digest(google_patches.digests(body))
