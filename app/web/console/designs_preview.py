"""What the editor's preview shows: which screen of which phone, and whose card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from app.accounts.brands import Brand
from app.db.identifiers import DesignId, PassTypeIdentifier, ProgrammeId, SerialNumber
from app.errors import BadInput
from app.passes.assembly import Assembled
from app.passes.card_screens import Theme, draw_back, draw_lock, draw_wallet
from app.passes.card_warnings import LARGE, SMALL, CardWarning, card_warnings
from app.passes.content import Language, PassContent, PassIdentity
from app.passes.drawing import Picture
from app.passes.findings import Finding, refusals
from app.passes.google_addresses import Addresses
from app.passes.google_class import Sharing, class_body, prepare
from app.passes.google_object import message_body, object_body
from app.passes.google_screen import draw_google
from app.passes.layout import STYLES, Design, Layout
from app.passes.proofs import Proofs
from app.passes.sample_guests import GUESTS, Guest, default_look, sample_guest
from app.web.console.forms import Form

Screen = Literal["front", "back", "lock", "google"]
Phone = Literal["small", "large"]
SCREENS, PHONES, THEMES = get_args(Screen), get_args(Phone), get_args(Theme)
READERS = get_args(Language)
_SIZES = {"small": SMALL, "large": LARGE}
_UNDRAWN = (BadInput, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What a design that was brought in from elsewhere may be too broken for; the linter says why."""
_UNDRAWABLE = ("style-missing", "wrong-type", "time-zone", "layout-unreadable", "image-damaged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was chosen above the preview."""

    screen: Screen = "front"
    phone: Phone = "large"
    theme: Theme = "light"
    reader: Language = "ru"
    guest: Guest = "regular"
    look: int = 0


def sight_of(form: Form, layout: Layout, *, reader: Language) -> Sight:
    """From the form's ``see.…``; what is no choice is the usual one."""

    def among(name: str, known: tuple[str, ...], usual: str) -> str:
        return form[f"see.{name}"] if form[f"see.{name}"] in known else usual

    look = form["see.look"]
    most = len(layout.tiers) or layout.for_reward or 0
    return Sight(
        screen=among("screen", SCREENS, "front"),  # type: ignore[arg-type]  # one of them
        phone=among("phone", PHONES, "large"),  # type: ignore[arg-type]
        theme=among("theme", THEMES, "light"),  # type: ignore[arg-type]
        reader=among("reader", READERS, reader),  # type: ignore[arg-type]
        guest=among("guest", GUESTS, "regular"),  # type: ignore[arg-type]
        look=min(int(look), most) if look.isdecimal() and len(look) < 4 else default_look(layout),
    )


def seen(
    made: Assembled,
    findings: list[Finding],
    sight: Sight,
    brand: Brand,
    *,
    now: datetime,
    content: PassContent | None = None,
) -> Picture | None:
    """The screen, of a sample guest's card or the one of ``content``; None where the design is too broken
    to make a card of, or has no Google.
    """
    if not _is_drawable(made, findings):
        return None
    if content is None:
        content = sample_guest(sight.guest, made.layout, sight.reader, look=sight.look, now=now)
    if sight.screen == "google":
        return _at_google(made, content, sight, brand, now=now)
    try:
        proof = Proofs(made.layout, made.files, now=now).pull(content, sight.reader)
    except _UNDRAWN:
        return None
    size = _SIZES[sight.phone]
    if sight.screen == "back":
        return draw_back(proof, size, sight.theme)
    if sight.screen == "lock":
        return draw_lock(proof, size, sight.theme, now=now)
    return draw_wallet(proof, size, sight.theme)


def _at_google(
    made: Assembled, content: PassContent, sight: Sight, brand: Brand, *, now: datetime
) -> Picture | None:
    """Google's card of the bodies that would be sent."""
    design = Design(
        id=DesignId(0),
        programme_id=ProgrammeId(0),
        version=0,
        template="",
        layout=made.layout,
        files=made.files,
        created_at=now,
    )
    if (prepared := prepare(design)) is None:
        return None
    addresses = Addresses("https://cards.example")
    common = class_body(
        prepared,
        Sharing(brand_name=brand.name, language=brand.language, currency=brand.currency, addresses=addresses),
        resource_id="0.class",
        tier=prepared.tier(content.tier),
    )
    identity = PassIdentity(PassTypeIdentifier(brand.pass_type_identifier), SerialNumber("0"), "", "")
    card = object_body(
        prepared, content, identity, resource_id="0.card", class_id="0.class", addresses=addresses
    )
    said = [message_body(prepared, each, content.language, notify=False) for each in content.messages]
    images = {addresses.image(digest): made.files[path] for path, digest in prepared.images.items()}
    return draw_google(
        card | {"messages": said},
        common,
        images,
        width=_SIZES[sight.phone][0],
        theme=sight.theme,
        reader=sight.reader,
    )


def cuts_of(made: Assembled, findings: list[Finding], *, now: datetime) -> list[CardWarning]:
    """What has no room on some iPhone; nothing for a design that no card can be made of."""
    if not _is_drawable(made, findings):
        return []
    try:
        return card_warnings(made.layout, made.files, now=now)
    except _UNDRAWN:
        return []


def is_refused(findings: list[Finding]) -> bool:
    """Whether the design cannot be published as it is."""
    return bool(refusals(findings))


def _is_drawable(made: Assembled, findings: list[Finding]) -> bool:
    broken = {each.code for each in refusals(findings)} & set(_UNDRAWABLE)
    return not broken and any(style in made.layout.document for style in STYLES)
