"""The body of a loyalty object: one guest's card in Google Wallet. Pure.

Points are sent as strings: one kind of balance for good (only one may be set, and a PATCH merges what it
names with what is there), and no int32 to outgrow. Source: the discovery document (walletobjects v1, revision
20260806), ``LoyaltyObject`` and ``Message``.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from app.passes.content import Language, LocalizedText, PassContent, PassIdentity
from app.passes.content import Message as Said
from app.passes.google_addresses import Addresses
from app.passes.google_class import GoogleDesign, image, links, locations, text_modules
from app.passes.google_layout import Link, Points
from app.passes.google_words import both, localized, plain, same

MOST_MESSAGES: Final = 10
"""On an object; what an eleventh does is not documented."""

OBJECT_FIELDS: Final = (
    "classId", "state", "accountName", "accountId", "loyaltyPoints", "secondaryLoyaltyPoints", "barcode",
    "heroImage", "textModulesData", "linksModuleData", "merchantLocations",
)  # fmt: skip
"""What an object of ours may have beside its id and messages; what is absent is cleared."""

BALANCES: Final = ("loyaltyPoints", "secondaryLoyaltyPoints")
"""A change of these may be told to the holder (``notifyPreference``); text modules and images may not."""

_WITHDRAW: Final = LocalizedText("Отписаться от рекламы", "Unsubscribe from advertising")
_WITHDRAW_ID: Final = "withdraw"
_OTHERS: Final = re.compile(r"[^A-Za-z0-9._-]+")


def object_body(
    design: GoogleDesign,
    content: PassContent,
    identity: PassIdentity,
    *,
    resource_id: str,
    class_id: str,
    addresses: Addresses,
) -> dict[str, Any]:
    """A whole ``LoyaltyObject`` but for its messages.

    A voided one carries nothing of its guest. One that the brand blocked has no code and no places, and still
    says whose it is: it comes back.
    """
    body: dict[str, Any] = {"id": resource_id, "classId": class_id, "state": _state(content)}
    if content.voided:
        return body
    own, language = design.google.loyalty_object, content.language

    def said(text: str) -> LocalizedText | None:
        return design.words.own(text, content, identity)

    def value(text: str) -> str | None:
        found = said(text)
        return plain(found, language) or None if found else None

    body |= {
        "accountName": value(own.account_name),
        "accountId": value(own.account_id),
        "loyaltyPoints": _points(own.loyalty_points, said, language),
        "secondaryLoyaltyPoints": _points(own.secondary_loyalty_points, said, language),
        "textModulesData": text_modules(
            [(each, said(each.header), said(each.body)) for each in own.text_modules_data], language
        ),
        "linksModuleData": links(
            [
                *(
                    (each, design.words.link(said(each.uri), language), said(each.description))
                    for each in own.links_module_data
                ),
                *_withdrawal(design, identity),
            ],
            language,
        ),
    }
    if (path := own.hero_image) and (digest := design.images.get(path)):
        body["heroImage"] = image(digest, _name(design), language, addresses)
    if not content.blocked:
        body["merchantLocations"] = locations([(at.latitude, at.longitude) for at in content.locations])
        if own.barcode and (code := value(own.barcode.value)):
            body["barcode"] = {
                "type": own.barcode.type,
                "value": code,
                "alternateText": value(own.barcode.alternate_text) or code,
            }
    return {field: each for field, each in body.items() if each is not None}


def message_body(design: GoogleDesign, said: Said, language: Language, *, notify: bool) -> dict[str, Any]:
    """One ``Message``. Who is notified reads Google's own words on the lock screen, not these."""
    return {
        "id": message_id(said),
        "messageType": "TEXT_AND_NOTIFY" if notify else "TEXT",
        **both("header", _name(design), language),
        **both("body", said.text, language),
    }


def message_id(said: Said) -> str:
    """What a message is found again by: what it announces, and a mark of its words."""
    mark = hashlib.blake2b(f"{said.text.ru}\0{said.text.en}".encode(), digest_size=4).hexdigest()
    return f"{_OTHERS.sub('-', said.announcement)[:40]}-{mark}"


def _name(design: GoogleDesign) -> LocalizedText:
    organization = str(design.layout.document.get("organizationName", ""))
    return design.words.shared(design.google.loyalty_class.program_name) or same(organization)


def _state(content: PassContent) -> str:
    if content.voided:
        return "EXPIRED"
    return "INACTIVE" if content.blocked else "ACTIVE"


def _points(points: Points | None, said: Any, language: Language) -> dict[str, Any] | None:
    balance, label = (said(points.balance), said(points.label)) if points else (None, None)
    if balance is None or label is None:
        return None
    return {
        "label": plain(label, language),
        "localizedLabel": localized(label, language),
        "balance": {"string": plain(balance, language)},
    }


def _withdrawal(design: GoogleDesign, identity: PassIdentity) -> list[tuple[Link, str, LocalizedText]]:
    """The way out of advertising, unless the design has one of its own."""
    own = any(each.uri == "{withdrawal_url}" for each in design.google.loyalty_object.links_module_data)
    if own or not identity.withdrawal_url:
        return []
    link = Link(id=_WITHDRAW_ID, uri=identity.withdrawal_url, description=_WITHDRAW.en)
    return [(link, identity.withdrawal_url, _WITHDRAW)]
