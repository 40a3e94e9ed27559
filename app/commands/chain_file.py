"""A chain in one TOML file: read, and every fault told at once with its place.

docs/chain.example.toml explains every key. Reading touches no database.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.accounts import brands, checks
from app.db.identifiers import BrandId
from app.errors import BadInput, Misconfigured
from app.google.identifiers import is_issuer
from app.loyalty import rules as rulebook
from app.passes.content import LocalizedText
from app.passes.google_accounts import WHERE_ISSUER
from app.places import placements, venues


def _by(check: Callable[[str], str]) -> AfterValidator:
    """A room's own check as pydantic's, so that every fault of a file is found in one go."""

    def checked(value: str) -> str:
        try:
            return check(value)
        except BadInput as refused:
            raise ValueError(refused.message) from None

    return AfterValidator(checked)


def _limited(name: str, longest: int) -> AfterValidator:
    return _by(lambda value: checks.name(value, field=name, longest=longest))


Slug = Annotated[str, _by(checks.slug)]
Name = Annotated[str, _by(checks.name)]
TemplateName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]  # a folder of TEMPLATES_DIR
TimeZone = Annotated[str, _by(checks.time_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BothLanguages(_Part):
    """The same words in Russian and in English."""

    ru: Annotated[str, _limited("ru", 500)]
    en: Annotated[str, _limited("en", 500)]

    @property
    def localized(self) -> LocalizedText:
        """As designs want it."""
        return LocalizedText(ru=self.ru, en=self.en)


class BrandTexts(_Part):
    """What guests read about the brand, in one language."""

    programme: str
    promise: str
    privacy_url: str = ""
    terms_url: str = ""
    offers_url: str = ""
    benefits_url: str = ""
    support: str = ""


class DesignPart(_Part):
    """Which template the programme's card is made from, and what the brand puts in place of its own."""

    template: TemplateName
    rules: BothLanguages | None = None  # the programme's, in words: on the back of the card
    colours: dict[str, str] = Field(default_factory=dict)  # Apple's key to "rgb(r, g, b)"
    images: dict[str, str] = Field(default_factory=dict)  # "logo@2x.png" to a file beside the chain's


class ProgrammePart(_Part):
    """A programme with its rules and its design."""

    slug: Slug
    name: Name
    kind: rulebook.Kind
    rules: dict[str, Any]
    design: DesignPart | None = None

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        try:
            rulebook.from_json(self.kind, self.rules)
        except BadInput as refused:
            raise ValueError(refused.message.replace("\n", "; ")) from None
        return self

    @property
    def typed_rules(self) -> rulebook.Rules:
        """The rules as loyalty wants them."""
        return rulebook.from_json(self.kind, self.rules)


class PlacementPart(_Part):
    """Where in the venue a QR code hangs or lies."""

    kind: placements.Kind
    name: Name


class VenuePart(_Part):
    """A venue with everything in it."""

    slug: Slug
    name: Name
    address: Annotated[str, _limited("address", venues.LONGEST_ADDRESS)]
    latitude: float | None = None
    longitude: float | None = None
    time_zone: TimeZone | None = None
    relevant_text: BothLanguages | None = None
    programmes: list[Slug] | None = None  # which ones its links lead to; None: all of the brand
    placements: list[PlacementPart] = Field(default_factory=list)
    staff: list[Name] = Field(default_factory=list)
    keys: list[Name] = Field(default_factory=list)

    def draft(self, brand_id: BrandId) -> venues.VenueDraft:
        """As places wants it."""
        near = self.relevant_text
        return venues.VenueDraft(
            brand_id=brand_id,
            slug=self.slug,
            name=self.name,
            address=self.address,
            latitude=self.latitude,
            longitude=self.longitude,
            time_zone=self.time_zone,
            relevant_text_ru=near.ru if near else None,
            relevant_text_en=near.en if near else None,
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        _raise(_refusal(lambda: venues.checked(self.draft(BrandId(0)), brand_time_zone="UTC")))
        _raise(_twice("placement", [f"{p.kind} {p.name}" for p in self.placements]))
        _raise(_twice("staff member", self.staff))
        _raise(_twice("key", self.keys))
        return self


def _issuer(value: str) -> str:
    if not is_issuer(value):
        raise BadInput("bad-issuer", WHERE_ISSUER)
    return value


class GooglePart(_Part):
    """Under which of Google's issuers the brand's cards are, and where its service account's key lies."""

    issuer: Annotated[str, _by(_issuer)]
    credentials: Annotated[str, Field(pattern=r"^(file|env):.+$")]

    def reference(self, directory: Path) -> str:
        """The same with a relative ``file:`` meant from ``directory``."""
        return _from(directory, self.credentials)


class BrandPart(_Part):
    """A brand with everything of it."""

    slug: Slug
    name: Name
    time_zone: TimeZone
    currency: Annotated[str, _by(checks.currency)]
    language: brands.Language = "ru"
    pass_type_identifier: str
    team_identifier: str
    credentials: str
    google: GooglePart | None = None
    asks_phone: brands.AsksPhone = "no"
    texts: dict[brands.Language, BrandTexts]
    programmes: Annotated[list[ProgrammePart], Field(min_length=1)]
    venues: list[VenuePart] = Field(default_factory=list)

    def draft(self, directory: Path) -> brands.BrandDraft:
        """As accounts wants it; a relative ``file:`` is meant from ``directory``."""
        return brands.BrandDraft(
            slug=self.slug,
            name=self.name,
            texts={language: words.model_dump() for language, words in self.texts.items()},
            time_zone=self.time_zone,
            currency=self.currency,
            language=self.language,
            pass_type_identifier=self.pass_type_identifier,
            team_identifier=self.team_identifier,
            credentials=_from(directory, self.credentials),
            asks_phone=self.asks_phone,
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        _raise(_refusal(lambda: brands.checked(self.draft(Path()))))
        _raise(_twice("programme", [p.slug for p in self.programmes]))
        _raise(_twice("venue", [v.slug for v in self.venues]))
        _raise(_twice("staff member", [name for v in self.venues for name in v.staff]))
        known = {p.slug for p in self.programmes}
        for venue in self.venues:
            for slug in venue.programmes or ():
                if slug not in known:
                    raise ValueError(f"venue {venue.slug!r} names the programme {slug!r}, which is not here")
        return self


class Chain(_Part):
    """The whole file."""

    brands: Annotated[list[BrandPart], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        _raise(_twice("brand", [b.slug for b in self.brands]))
        return self


def read_chain(path: Path) -> Chain:
    """The chain that the file at ``path`` describes; raises Misconfigured with every fault and its place."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise Misconfigured(f"{path}: cannot read it: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise Misconfigured(f"{path}: byte {fault.start} is not UTF-8: save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        raise Misconfigured(f"{path}: not TOML: {fault}") from None
    try:
        return Chain.model_validate(document)
    except ValidationError as invalid:
        faults = [
            f"{path}: {_place(document, fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in invalid.errors()
        ]
        raise Misconfigured(*faults) from None


def _place(document: Any, steps: tuple[int | str, ...]) -> str:
    """``brands 1 (kasha), venues 2 (pier), latitude``: counted as people count, named where it has a name."""
    words: list[str] = []
    here = document
    for step in steps:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            name = here.get("slug") or here.get("name") if isinstance(here, dict) else None
            words[-1:] = [f"{words[-1] if words else ''} {step + 1}" + (f" ({name})" if name else "")]
        elif step != "[key]":
            words.append(step)
    return ", ".join(words) or "the file"


def _from(directory: Path, credentials: str) -> str:
    kind, _, place = credentials.partition(":")
    return f"file:{(directory / place).resolve()}" if kind == "file" and place else credentials


def _refusal(check: Callable[[], object]) -> str | None:
    try:
        check()
    except BadInput as refused:
        return refused.message
    return None


def _twice(what: str, names: list[str]) -> str | None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    return f"there are two of the {what} {', '.join(repeated)}" if repeated else None


def _raise(fault: str | None) -> None:
    if fault:
        raise ValueError(fault)
