"""Brands: whose cards these are. One installation keeps several."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from app.accounts import audit, checks, reserved
from app.accounts import store_brands as store
from app.db import Tx
from app.db.identifiers import BrandId, PassTypeIdentifier
from app.errors import BadInput, Conflict, NotFound

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = ("ru", "en")
AsksPhone = Literal["no", "optional", "needed", "proved"]
ASKS_PHONE: tuple[AsksPhone, ...] = ("no", "optional", "needed", "proved")
NEEDED_TEXTS = ("programme", "promise")
URL_TEXTS = ("privacy_url", "terms_url", "offers_url", "benefits_url")
OTHER_TEXTS = (*URL_TEXTS, "support")
LONGEST_TEXT = 500

Texts = Mapping[str, Mapping[str, str]]

# Apple's identifier strings: reverse domain behind "pass.", a team is ten capital letters and digits.
_PASS_TYPE = re.compile(r"pass\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_TEAM = re.compile(r"[A-Z0-9]{10}")
_ENVIRONMENT_PREFIX = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandDraft:
    """What a person says about a brand.

    ``texts`` is ``{"ru": {…}, "en": {…}}`` with ``programme`` (what the card is called), ``promise`` (one
    sentence: what the guest gets), and where there are any ``privacy_url``, ``terms_url``, ``offers_url`` and
    ``benefits_url`` (pages that buttons below the card lead to), ``support``.
    ``credentials`` says where the pass certificate lies: ``file:DIRECTORY``, ``env:PREFIX``, or
    ``stored:`` for one that was uploaded.
    ``asks_phone`` says whether the install page asks guests for their phone number; ``proved`` also sends
    a code there, so that the number is the guest's own.
    """

    slug: str
    name: str
    texts: Texts
    time_zone: str
    currency: str
    pass_type_identifier: str
    team_identifier: str
    credentials: str
    language: str = "ru"
    asks_phone: str = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A brand as it is kept; every text key is there, empty where nothing was said."""

    id: BrandId
    slug: str
    name: str
    texts: Texts
    time_zone: str
    currency: str
    language: Language
    pass_type_identifier: PassTypeIdentifier
    team_identifier: str
    credentials: str
    asks_phone: AsksPhone
    created_at: datetime

    def text(self, key: str, language: str) -> str:
        """The brand's words in ``language``; an unknown language reads the brand's own."""
        return self.texts.get(language, self.texts[self.language])[key]

    def draft(self) -> BrandDraft:
        """What one would say to make this brand again."""
        fields = {key: getattr(self, key) for key in BrandDraft.__dataclass_fields__}
        return BrandDraft(**fields)


def checked(draft: BrandDraft) -> BrandDraft:
    """The draft, trimmed and completed; raises BadInput at its first fault."""
    if draft.language not in LANGUAGES:
        raise BadInput("unknown-language", f"language {draft.language!r}: use ru or en", field="language")
    if draft.asks_phone not in ASKS_PHONE:
        raise BadInput(
            "unknown-asks-phone",
            f"asks_phone {draft.asks_phone!r}: say no, optional, needed or proved",
            field="asks_phone",
        )
    if not _PASS_TYPE.fullmatch(draft.pass_type_identifier):
        raise BadInput(
            "bad-pass-type-identifier",
            f"{draft.pass_type_identifier!r} is not a pass type identifier: copy it from Apple's developer"
            " pages, it looks like pass.com.example.loyalty",
            field="pass_type_identifier",
        )
    if not _TEAM.fullmatch(draft.team_identifier):
        raise BadInput(
            "bad-team-identifier",
            f"{draft.team_identifier!r} is not a team identifier: ten capital letters and digits, from the"
            " membership page of Apple's developer account",
            field="team_identifier",
        )
    return BrandDraft(
        slug=checks.slug(draft.slug),
        name=checks.name(draft.name),
        texts=_checked_texts(draft.texts),
        time_zone=checks.time_zone(draft.time_zone),
        currency=checks.currency(draft.currency),
        language=draft.language,
        asks_phone=draft.asks_phone,
        pass_type_identifier=draft.pass_type_identifier,
        team_identifier=draft.team_identifier,
        credentials=_checked_credentials(draft.credentials),
    )


def create_brand(tx: Tx, draft: BrandDraft, *, now: datetime, actor: str) -> Brand:
    """Add a brand; raises BadInput where its words are wrong, Conflict where the slug is taken."""
    draft = checked(draft)
    reserved.refuse(draft.slug)
    _refuse_another_team(tx, draft, None)
    row_id = store.insert_brand(tx, values=_values(draft), now=now)
    if row_id is None:
        raise Conflict("slug-taken", f"There is a brand {draft.slug!r} already: choose another slug")
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=BrandId(row_id),
        action="brand.created",
        subject=draft.slug,
        detail={"pass_type_identifier": draft.pass_type_identifier},
    )
    return brand(tx, BrandId(row_id))


def update_brand(tx: Tx, brand_id: BrandId, draft: BrandDraft, *, now: datetime, actor: str) -> Brand:
    """Make the brand say what ``draft`` says; equal words change (and audit) nothing.

    The slug stays. Once a guest holds a card the pass type identifier and the team stay too: they are a
    part of every issued card, which no update can change (Apple, "Pass").
    Raises BadInput, Conflict, NotFound.
    """
    before = brand(tx, brand_id)
    draft = checked(draft)
    _refuse_another_team(tx, draft, brand_id)
    changed = sorted(k for k, v in asdict(draft).items() if v != asdict(before.draft())[k])
    if "slug" in changed:
        raise Conflict("slug-fixed", f"The slug of brand {before.slug!r} is part of addresses and stays")
    fixed = [key for key in changed if key in ("pass_type_identifier", "team_identifier")]
    if fixed and store.has_cards(tx, brand_id):
        raise Conflict(
            "identifier-fixed",
            f"{fixed[0]} of brand {before.slug!r} stays {getattr(before, fixed[0])!r}: guests hold cards that"
            " were issued under it. Make another brand for a new identifier",
        )
    if not changed:
        return before
    store.update_brand(tx, brand_id, values=_values(draft))
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand_id,
        action="brand.changed",
        subject=draft.slug,
        detail={"changed": changed},
    )
    return brand(tx, brand_id)


def brand(tx: Tx, brand_id: BrandId) -> Brand:
    """The brand; raises NotFound."""
    if row := store.brand(tx, brand_id):
        return _brand(row)
    raise NotFound("no-such-brand", f"There is no brand number {brand_id}")


def brand_by_slug(tx: Tx, slug: str) -> Brand:
    """The brand called so; raises NotFound that names the command to see them all."""
    if row := store.brand_by_slug(tx, slug):
        return _brand(row)
    raise NotFound("no-such-brand", f"There is no brand {slug!r}. See: perkpass brand list")


def brand_of_pass_type(tx: Tx, pass_type_identifier: str) -> list[Brand]:
    """Every brand whose cards are of this pass type; more than one where brands share it."""
    return [_brand(row) for row in store.brands_of_pass_type(tx, pass_type_identifier)]


def all_brands(tx: Tx) -> list[Brand]:
    """Every brand, by slug."""
    return [_brand(row) for row in store.all_brands(tx)]


def lock(tx: Tx, brand_id: BrandId) -> None:
    """Hold the brand until the transaction ends: two loads of one chain file go one after the other."""
    store.lock(tx, brand_id)


def shared_pass_type(tx: Tx, subject: Brand) -> str | None:
    """A warning where other brands use the same pass type identifier; None where this brand has its own."""
    others = [b.slug for b in brand_of_pass_type(tx, subject.pass_type_identifier) if b.id != subject.id]
    if not others:
        return None
    return (
        f"{subject.pass_type_identifier} is also used by {', '.join(others)}. A phone throttles, and in the"
        " end switches off, updates per pass type identifier: one noisy brand would silence the others."
        " Give each brand its own."
    )


def refer_to_credentials(tx: Tx, brand_id: BrandId, credentials: str, *, now: datetime, actor: str) -> Brand:
    """Say where the brand's certificate lies from now on, and nothing else; raises BadInput, NotFound."""
    draft = replace(brand(tx, brand_id).draft(), credentials=credentials)
    return update_brand(tx, brand_id, draft, now=now, actor=actor)


def _checked_texts(texts: Texts) -> Texts:
    complete: dict[str, dict[str, str]] = {}
    for language in texts:
        if language not in LANGUAGES:
            raise BadInput("unknown-language", f"texts.{language}: use ru and en", field=f"texts.{language}")
    for language in LANGUAGES:
        said = texts.get(language, {})
        for key in said:
            if key not in NEEDED_TEXTS + OTHER_TEXTS:
                known = ", ".join(NEEDED_TEXTS + OTHER_TEXTS)
                raise BadInput(
                    "unknown-text",
                    f"texts.{language}.{key} is unknown: use {known}",
                    field=f"texts.{language}.{key}",
                )
        words = {key: str(said.get(key, "")).strip() for key in NEEDED_TEXTS + OTHER_TEXTS}
        for key in NEEDED_TEXTS:
            checks.name(words[key], field=f"texts.{language}.{key}", longest=LONGEST_TEXT)
        for key in URL_TEXTS:
            checks.web_address(words[key], field=f"texts.{language}.{key}")
        complete[language] = words
    return complete


def _checked_credentials(reference: str) -> str:
    kind, _, place = reference.partition(":")
    if "-----BEGIN" in reference:
        raise BadInput(
            "key-material",
            "credentials must name where the certificate and key lie, not hold them: file:DIRECTORY or"
            " env:PREFIX",
            field="credentials",
        )
    named = (kind == "file" and place.strip()) or (kind == "env" and _ENVIRONMENT_PREFIX.fullmatch(place))
    if named or reference == "stored:":  # uploaded, and kept by the room of passes
        return reference
    raise BadInput(
        "bad-credentials",
        f"credentials {reference!r}: say file:DIRECTORY (with certificate.pem, key.pem, wwdr.pem),"
        " env:PREFIX (PREFIX_CERTIFICATE, PREFIX_KEY, PREFIX_WWDR), or stored: for one that was uploaded",
        field="credentials",
    )


def _refuse_another_team(tx: Tx, draft: BrandDraft, brand_id: BrandId | None) -> None:
    for other in brand_of_pass_type(tx, draft.pass_type_identifier):
        if other.id != brand_id and other.team_identifier != draft.team_identifier:
            raise BadInput(
                "another-team",
                f"{draft.pass_type_identifier} belongs to team {other.team_identifier} of brand"
                f" {other.slug!r}: one pass type identifier has one team",
                field="team_identifier",
            )


def _values(draft: BrandDraft) -> dict[str, object]:
    return {key: getattr(draft, key) for key in BrandDraft.__dataclass_fields__}


def _brand(row: store.BrandRow) -> Brand:
    return Brand(
        id=BrandId(row.id),
        slug=row.slug,
        name=row.name,
        texts=row.texts,
        time_zone=row.time_zone,
        currency=row.currency,
        language="en" if row.language == "en" else "ru",
        pass_type_identifier=PassTypeIdentifier(row.pass_type_identifier),
        team_identifier=row.team_identifier,
        credentials=row.credentials,
        asks_phone=row.asks_phone,  # type: ignore[arg-type]  # the database allows no other
        created_at=row.created_at,
    )
