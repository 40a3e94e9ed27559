"""Test cards: a draft on the phone of who draws it, as a guest's card would be, and in no number.

A test card is a real pass that Apple's servers and the phone treat like any other. It is of a design without
a version number, says on its back that it is a test, belongs to no member, and its code is known to no till.
Each time the draft is saved the card follows silently, within the phone's push budget.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, CardCode, DesignId, PassTypeIdentifier, ProgrammeId, WalletPassId
from app.errors import Conflict
from app.passes import issuing, store_designs, store_test_cards
from app.passes.content import Language, LocalizedText, Message, PassContent
from app.passes.designs import DesignDraft
from app.passes.layout import Layout
from app.passes.store_passes import WalletPass

_LETTERS: Final = "ACDEFGHJKLMNPQRTUVWXY34679"
_UNDER_WAY: Final = timedelta(hours=1)  # a phone may be fetching the look before
_MARK: Final = "perkpass_test"
_WORDS: Final[Mapping[Language, str]] = {
    "ru": "Это тестовая карта: она показывает черновик дизайна и ни в каких отчётах не участвует.",
    "en": "This is a test card: it shows a draft of the design and is part of no report.",
}
_LABEL: Final[Mapping[Language, str]] = {"ru": "Тестовая карта", "en": "Test card"}


def make(
    tx: Tx,
    programme_id: ProgrammeId,
    made: DesignDraft,
    *,
    language: Language,
    brand_id: BrandId,
    now: datetime,
    actor: str,
) -> WalletPass:
    """The actor's test card of the programme, which shows the draft from now on; one for each person."""
    follow(tx, programme_id, made, now=now)
    if (known := store_test_cards.of(tx, programme_id, actor)) is not None:
        return issuing.wallet_pass(tx, known)
    look = _look(tx, programme_id, made, now)
    card = issuing.issue(
        tx,
        pass_type_identifier=PassTypeIdentifier(made.layout.document["passTypeIdentifier"]),
        programme_id=programme_id,
        content=sample(made.layout, language, now=now),
        now=now,
        design_id=look,
    )
    if not store_test_cards.add(tx, card.id, programme_id, actor, now=now):
        raise Conflict("test-card-there-already", "Your test card was made at this moment: ask again.")
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand_id,
        action="design.test_card",
        subject=f"pass {card.id}",
        detail={},
    )
    return card


def follow(tx: Tx, programme_id: ProgrammeId, made: DesignDraft, *, now: datetime) -> int:
    """Let the programme's test cards show a saved draft; returns how many there are."""
    cards = store_test_cards.by_design(tx, programme_id)
    for unused in store_test_cards.unused_designs(tx, programme_id, before=now - _UNDER_WAY):
        store_designs.remove_for_tests(tx, unused)
    if not cards:
        return 0
    look = _look(tx, programme_id, made, now)
    everyone = sorted(pass_id for pass_ids in cards.values() for pass_id in pass_ids)
    for design_id, pass_ids in sorted(cards.items()):
        issuing.move_cards(
            tx,
            pass_ids[: issuing.MOST_CHANGES],
            from_design_id=design_id,
            to_design_id=look,
            now=now,
            remember=False,
            kind="receipt",  # somebody looks at the phone and waits
        )
    return len(everyone)


def exist(tx: Tx, programme_id: ProgrammeId) -> bool:
    """Whether somebody would see that a draft was saved: else nothing need be drawn for them."""
    return bool(store_test_cards.by_design(tx, programme_id))


def own(tx: Tx, programme_id: ProgrammeId, actor: str) -> WalletPassId | None:
    """The actor's test card of a programme, where they made one."""
    return store_test_cards.of(tx, programme_id, actor)


def is_test(tx: Tx, pass_id: WalletPassId) -> bool:
    """Whether a pass is a test card: it belongs to no member and no report."""
    return store_test_cards.is_one(tx, pass_id)


def sample(layout: Layout, language: Language, *, now: datetime) -> PassContent:
    """What a test card says: a guest with some of everything."""
    said = Message(LocalizedText(_WORDS["ru"], _WORDS["en"]), now, "test")
    return PassContent(
        language=language,
        card_code=CardCode("TEST" + "".join(secrets.choice(_LETTERS) for _ in range(4))),
        member_name=_LABEL[language],
        balance=125_000,
        tier=layout.tiers[0].name if layout.tiers else None,
        stamps=min(3, layout.for_reward or 0),
        messages=(said,),
    )


def _look(tx: Tx, programme_id: ProgrammeId, made: DesignDraft, now: datetime) -> DesignId:
    return store_designs.add_for_tests(
        tx,
        programme_id=programme_id,
        source=made.source,
        layout=_marked(made.layout),
        files=made.files,
        now=now,
    ).id


def _marked(layout: Layout) -> Layout:
    """The same card with a first field on its back that says what it is."""
    style = layout.style
    groups: dict[str, Any] = dict(layout.document[style])
    mark = {"key": _MARK, "label": _LABEL["en"], "value": _WORDS["en"]}
    groups["backFields"] = [mark, *groups.get("backFields", ())]
    strings: dict[Language, Mapping[str, str]] = {
        language: dict(layout.strings[language])
        | {_LABEL["en"]: _LABEL[language], _WORDS["en"]: _WORDS[language]}
        for language in ("ru", "en")
    }
    return replace(layout, document=dict(layout.document) | {style: groups}, strings=strings)
