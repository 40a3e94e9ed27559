"""What a guest reads: the card with a real guest's data on both wallets, and each text as it is billed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from app.campaigns import words
from app.campaigns.merge_fields import fill
from app.campaigns.words import Values
from app.db import Tx
from app.errors import BadInput
from app.loyalty import enrolment
from app.passes import designs, issuing
from app.passes.assembly import Assembled
from app.passes.card_screens import BANNER_LETTERS
from app.passes.content import MOST_MESSAGES, LocalizedText, Message, PassContent
from app.passes.drawing import Picture
from app.passes.layout import Design
from app.passes.lettering import ELLIPSIS
from app.passes.template import Template
from app.reports import members as found_members
from app.sms.book import price_of
from app.web.code_sending import Sender
from app.web.console import designs_preview, sums
from app.web.console.campaigns_form import LANGUAGES, arms_of, fault_of, words_of
from app.web.console.designs_preview import Sight
from app.web.console.forms import Form
from app.web.console.visit import Visit
from app.web.console.wording import sentence
from app.web.guest_form import region
from app.web.language import Language


@dataclass(frozen=True, slots=True)
class Guest:
    """Whose data are shown."""

    name: str | None
    code: str
    phone: str | None
    values: Values
    content: PassContent
    version: int
    design: Design
    source: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line or a text message as this guest gets it; ``fault`` says why there is none."""

    words: str = ""
    cut: str = ""  # as the lock screen cuts it, where it does
    parts: int = 0
    units: int = 0
    encoding: str = ""
    price: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The preview."""

    guest: Guest | None
    reader: Language
    arm: int
    lines: dict[str, Said]  # by field: "arm.0.ru"
    lock: Picture | None
    google: Picture | None


def guest_of(
    tx: Tx, visit: Visit, asked: str, besides: Mapping[str, LocalizedText] | None = None
) -> Guest | None:
    """Who is looked for, by name, number or card code; the newest guest with a card where nobody is."""
    found = found_members.search(
        tx, visit.brand.id, asked, venues=visit.access.venues, region=region(visit.brand.time_zone)
    )
    for member in found.members:
        for card in member.cards:
            if card.ended_at is None and not card.blocked_at and member.removed_at is None:
                pass_id = enrolment.enrolment(tx, card.enrolment_id).pass_id
                known = issuing.wallet_pass(tx, pass_id)
                values = words.of_passes(tx, [pass_id], besides=besides).get(pass_id)
                if values is not None:
                    return Guest(
                        name=member.name,
                        code=card.card_code,
                        phone=member.phone,
                        values=values,
                        content=known.content,
                        version=known.version,
                        design=designs.design(tx, known.design_id),
                        source=designs.source(tx, known.design_id),
                    )
    return None


def preview(visit: Visit, form: Form, guest: Guest | None, sender: Sender | None) -> Seen:
    """What is in the form now, right or wrong."""
    usual = guest.content.language if guest else visit.brand.language
    reader = cast("Language", form["see.reader"] if form["see.reader"] in LANGUAGES else usual)
    count = arms_of(form)
    arm = int(form["see.arm"]) if form["see.arm"] in {str(one) for one in range(count)} else 0
    lines: dict[str, Said] = {}
    for index in range(count):
        line, sms = words_of(form, index, "", visit.brand), words_of(form, index, "sms_", visit.brand)
        for language in LANGUAGES:
            values = guest.values[language] if guest else {}
            if line is not None:
                lines[f"arm.{index}.{language}"] = _line(getattr(line, language), values)
            text = sms or line
            if text is not None:
                lines[f"arm.{index}.sms_{language}"] = _text(
                    getattr(text, language), values, sender, guest.phone if guest else None
                )
    line = words_of(form, arm, "", visit.brand)
    lock = google = None
    if (
        guest is not None
        and line is not None
        and not any(fault_of(getattr(line, one), "", offer="offer" in guest.values[one]) for one in LANGUAGES)
    ):
        lock = _drawn(visit, guest, line, reader, "lock")
        google = _drawn(visit, guest, line, reader, "google")
    return Seen(guest=guest, reader=reader, arm=arm, lines=lines, lock=lock, google=google)


def _line(said: str, values: Mapping[str, str | None]) -> Said:
    fault = fault_of(said, "", offer="offer" in values)
    if fault:
        return Said(fault=sentence(fault))
    words_ = fill(said, cast("dict[str, str | None]", values))
    cut = words_[: BANNER_LETTERS - 1].rstrip() + ELLIPSIS if len(words_) > BANNER_LETTERS else ""
    return Said(words=words_, cut=cut)


def _text(said: str, values: Mapping[str, str | None], sender: Sender | None, phone: str | None) -> Said:
    if fault := fault_of(said, "", offer="offer" in values):
        return Said(fault=sentence(fault))
    words_ = fill(said, cast("dict[str, str | None]", values))
    if sender is None:
        return Said(words=words_)
    try:
        measured = sender.gateway.measure(words_)
    except BadInput as fault:
        return Said(words=words_, fault=sentence(fault))
    rules = sender.login.prices
    price = price_of(sender.login, phone or (rules[0].prefix if rules else "+"), measured.parts)
    return Said(
        words=words_,
        parts=measured.parts,
        units=measured.units,
        encoding=measured.encoding,
        price=sums.money(price.amount, price.currency) if price else "",
    )


def _drawn(
    visit: Visit, guest: Guest, line: LocalizedText, reader: Language, screen: Literal["lock", "google"]
) -> Picture | None:
    """The guest's own card as it would be once it said this."""
    said = Message(words.said(line, guest.values), visit.now, "campaign:preview", guest.version + 1)
    messages = (said, *guest.content.messages)[:MOST_MESSAGES]
    content = replace(guest.content, messages=messages, language=reader)
    made = Assembled(guest.design.layout, guest.design.files, (), guest.source)
    sight = Sight(screen=screen, reader=reader)
    return designs_preview.seen(made, [], sight, visit.brand, now=visit.now, content=content)
