"""A pass's card in Google Wallet, to be looked at: what it should be now, and what of it Google lacks.

Of what Google took only digests are kept, so what is drawn is the card as it should be; the fields whose
digests differ are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import DesignId, WalletPassId
from app.passes import designs, google_ids, google_patches, store_designs, store_google
from app.passes.content import Language, PassIdentity
from app.passes.drawing import Picture
from app.passes.google_addresses import Addresses
from app.passes.google_class import GoogleDesign, Sharing, class_body, prepare
from app.passes.google_object import OBJECT_FIELDS, message_body, message_id, object_body
from app.passes.google_screen import draw_google
from app.passes.store_google import Wanted


@dataclass(frozen=True, slots=True)
class GoogleShown:
    """What there is to draw, and what Google does not have as it is drawn."""

    card: Mapping[str, Any]  # the object with its messages
    common: Mapping[str, Any]  # its class
    images: Mapping[str, bytes]  # by their addresses
    behind: tuple[str, ...]  # fields of the object, "messages" among them
    language: Language  # the guest's

    def drawn(self, *, width: float, theme: str) -> Picture:
        """As the preview of a design is; ``width`` in points."""
        return draw_google(
            self.card, self.common, self.images, width=width, theme=theme, reader=self.language
        )


def google_shown(tx: Tx, pass_id: WalletPassId, addresses: Addresses) -> GoogleShown | None:
    """The pass's card at Google; None where Google has none, or nothing is left of it to show.

    ``addresses`` must be those that the worker sends: a link that differs would pass for a field behind.
    """
    row = store_google.object_of_pass(tx, pass_id)
    wanted = store_google.wanted(tx, [row.id]).get(row.id) if row and row.inserted_at else None
    if wanted is None or wanted.content.voided:
        return None
    design, images = _prepared(tx, wanted.design_id, addresses)
    newest = store_designs.newest_id(tx, wanted.programme_id)
    shared, more = _prepared(tx, newest, addresses) if newest is not None else (None, {})
    if design is None or shared is None:
        return None
    key = google_ids.tier_key(shared.tier(wanted.content.tier))
    known = store_google.class_for(tx, wanted.row.issuer_id, wanted.programme_id, google_ids.FAMILY, key)
    if known is None:
        return None
    card = _object(design, wanted, known.resource_id, addresses)
    said = wanted.content.messages
    behind = list(google_patches.patch(card, wanted.row.sent, OBJECT_FIELDS))
    if wanted.row.messages is None or {message_id(each) for each in said} - set(wanted.row.messages):
        behind.append("messages")
    brand = brands.brand(tx, known.brand_id)
    sharing = Sharing(
        brand_name=brand.name, language=brand.language, currency=brand.currency, addresses=addresses
    )
    language = wanted.content.language
    messages = [message_body(design, each, language, notify=False) for each in said]
    return GoogleShown(
        card=card | {"messages": messages},
        common=class_body(shared, sharing, resource_id=known.resource_id, tier=known.tier),
        images={**more, **images},
        behind=tuple(behind),
        language=language,
    )


def _object(design: GoogleDesign, wanted: Wanted, class_id: str, addresses: Addresses) -> dict[str, Any]:
    withdrawal = addresses.withdrawal(wanted.row.pass_id, wanted.key_version)
    identity = PassIdentity(wanted.pass_type_identifier, wanted.serial_number, "", withdrawal)
    return object_body(
        design,
        wanted.content,
        identity,
        resource_id=wanted.row.resource_id,
        class_id=class_id,
        addresses=addresses,
    )


def _prepared(
    tx: Tx, design_id: DesignId, addresses: Addresses
) -> tuple[GoogleDesign | None, Mapping[str, bytes]]:
    """A version taken apart, and its images by their addresses."""
    whole = designs.design(tx, design_id)
    made = prepare(whole)
    if made is None:
        return None, {}
    return made, {addresses.image(digest): whole.files[path] for path, digest in made.images.items()}
