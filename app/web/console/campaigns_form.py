"""A campaign as a form: filled in from a plan, read back into one, with every fault beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast, get_args

from babel.numbers import get_currency_precision
from flask import request
from flask_babel import gettext as _

from app.accounts.brands import Brand
from app.campaigns import merge_fields, plan
from app.campaigns.assignment import MOST_ARMS, WHOLE
from app.campaigns.audience import PRESETS, Audience
from app.campaigns.plan import Arm, Plan, TextsTo, Timing
from app.campaigns.store_campaigns import Campaign, Kind
from app.db.identifiers import OfferId, ProgrammeId
from app.errors import BadInput
from app.passes.content import LocalizedText
from app.web.console import members_filters as filters
from app.web.console import sums
from app.web.console.forms import Form, digits
from app.web.console.wording import sentence

OWN: Final = "own"
"""Instead of a preset: the filters say who."""
LANGUAGES: Final = ("ru", "en")
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
TIMINGS: Final[tuple[Timing, ...]] = get_args(Timing)
TEXTS_TO: Final[tuple[TextsTo, ...]] = get_args(TextsTo)
_USUAL_CANARY = 30
_MOST_WEIGHT = 100
FIELDS: Final[Mapping[str, str]] = {
    "arms": "",
    **{f"arms.{index}.name": f"arm.{index}.name" for index in range(MOST_ARMS)},
    **{f"arms.{index}.line.{one}": f"arm.{index}.{one}" for index in range(MOST_ARMS) for one in LANGUAGES},
    **{
        f"arms.{index}.sms.{one}": f"arm.{index}.sms_{one}" for index in range(MOST_ARMS) for one in LANGUAGES
    },
    "name-taken": "name",
}
"""The rooms' names of fields, and codes of conflicts, as the form calls them."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a form says, checked."""

    name: str
    kind: Kind
    plan: Plan
    offer_id: OfferId | None


def blank(arm_name: str) -> Form:
    """A new campaign's; ``arm_name``: what its only text is called."""
    usual = Plan(arms=(Arm(name=arm_name, line=LocalizedText("-", "-")),))
    form = _filled(usual, "", "advertising", currency="RUB")
    form.values |= {"arm.0.ru": "", "arm.0.en": ""}
    return form


def filled(campaign: Campaign, currency: str) -> Form:
    """The form of a campaign that is kept; ``currency``: of its budget."""
    form = _filled(campaign.plan, campaign.name, campaign.kind, currency=currency)
    form.values |= {"revision": str(campaign.revision), "offer_id": str(campaign.offer_id or "")}
    return form


def _filled(written: Plan, name: str, kind: Kind, *, currency: str) -> Form:
    form = filters.filled(written.audience)
    preset = next((key for key, one in PRESETS.items() if one == written.audience), OWN)
    digits_ = get_currency_precision(currency)
    form.values |= {
        "name": name,
        "kind": kind,
        "preset": preset,
        "programme_id": str(written.programme_id or ""),
        "timing": written.timing,
        "texts_to": written.texts_to,
        "deadline_minutes": str(written.deadline_minutes),
        "patience_hours": str(written.patience_hours),
        "google_accepted_suffices": "yes" if written.google_accepted_suffices else "",
        "budget": "" if written.budget is None else sums.typed(written.budget, digits_),
        "most_texts": str(written.most_texts or ""),
        "holdout": sums.typed(written.holdout, 2),
        "days": str(written.days),
        "canary": "" if written.canary_minutes is None else "yes",
        "canary_minutes": str(written.canary_minutes or _USUAL_CANARY),
        "arms": str(len(written.arms)),
    }
    for index, arm in enumerate(written.arms):
        form.values |= {
            f"arm.{index}.name": arm.name,
            f"arm.{index}.weight": str(arm.weight),
            **{f"arm.{index}.{one}": getattr(arm.line, one) for one in LANGUAGES},
            **{f"arm.{index}.sms_{one}": getattr(arm.sms, one) if arm.sms else "" for one in LANGUAGES},
        }
    return form


def arms_of(form: Form) -> int:
    """How many texts the form has."""
    return min(max(1, digits(form["arms"], most=2) or 1), MOST_ARMS)


def add_arm(form: Form, name: str) -> None:
    """One text more, with the words of the one before: two that differ little tell most."""
    count = arms_of(form)
    if count < MOST_ARMS:
        last = f"arm.{count - 1}."
        for key, value in list(form.values.items()):
            if key.startswith(last):
                form.values[f"arm.{count}.{key.removeprefix(last)}"] = value
        form.values |= {f"arm.{count}.name": name, "arms": str(count + 1)}


def drop_arm(form: Form, index: int) -> None:
    """Without this text; one stays."""
    count = arms_of(form)
    if count == 1 or not 0 <= index < count:
        return
    for place in range(index, count - 1):
        for key in [key for key in form.values if key.startswith(f"arm.{place + 1}.")]:
            form.values[f"arm.{place}.{key.removeprefix(f'arm.{place + 1}.')}"] = form.values[key]
    form.values["arms"] = str(count - 1)


def audience_of(form: Form) -> Audience | None:
    """Whom the form means; notes what makes no sense."""
    if form["preset"] in PRESETS:
        return PRESETS[form["preset"]]
    try:
        return filters.wanted(request.form)
    except BadInput as fault:
        form.errors[fault.field or ""] = _("This makes no sense here: choose another value.")
        return None


def words_of(form: Form, index: int, what: str, brand: Brand) -> LocalizedText | None:
    """The line ("") or the text message ("sms_") of an arm; None where it is empty in both languages.

    What is not said in one language is said in the other's words.
    """
    typed = {one: form[f"arm.{index}.{what}{one}"].strip() for one in LANGUAGES}
    first = typed[brand.language] or typed["ru"] or typed["en"]
    return LocalizedText(typed["ru"] or first, typed["en"] or first) if first else None


def fault_of(words: str, at: str, *, offer: bool = False) -> BadInput | None:
    """What is wrong with the merge fields of a text."""
    try:
        merge_fields.check(words, offer=offer, at=at)
    except BadInput as fault:
        return fault
    return None


def read(
    form: Form, brand: Brand, *, currency: str | None, programmes: set[int], offers: set[int]
) -> Written | None:
    """What the form says; None where something is wrong, which then stands beside its field.

    ``currency``: of the login that the brand's texts leave by; None: it sends none.
    """
    name = form.text("name", longest=120)
    kind = cast("Kind", form.choice("kind", KINDS))
    audience = audience_of(form)
    arms = [_arm(form, index, brand) for index in range(arms_of(form))]
    timing = cast("Timing", form.choice("timing", TIMINGS))
    texts_to = cast("TextsTo", form.choice("texts_to", TEXTS_TO))
    if texts_to != "nobody" and currency is None:
        form.errors.setdefault("texts_to", _("No text messages leave for this brand: ask who runs Perkpass."))
    whole = {
        field: form.whole(field, least=least, most=most)
        for field, least, most in (
            ("deadline_minutes", plan.SHORTEST_DEADLINE, plan.LONGEST_DEADLINE),
            ("patience_hours", 1, plan.LONGEST_PATIENCE),
            ("days", 1, plan.MOST_DAYS),
        )
    }
    holdout = sums.decimal(form, "holdout", digits=2, least=0, most=WHOLE // 2)
    budget = most_texts = None
    if texts_to != "nobody":
        scale = get_currency_precision(currency or "RUB")
        budget = sums.decimal(form, "budget", digits=scale, least=0, most=plan.MOST_MONEY, needed=False)
        most_texts = form.whole("most_texts", least=0, most=plan.MOST_TEXTS, needed=False)
    canary = None
    if form.ticked("canary"):
        canary = form.whole("canary_minutes", least=plan.SHORTEST_CANARY, most=plan.LONGEST_CANARY)
    programme = digits(form["programme_id"]) if form["programme_id"] else None
    if programme is not None and programme not in programmes:
        form.errors.setdefault("programme_id", _("Please choose one of these."))
    offer = digits(form["offer_id"]) if form["offer_id"] else None
    if offer is not None and offer not in offers:
        form.errors.setdefault("offer_id", _("Please choose one of these."))
    if not form.ok or audience is None:
        return None
    found: list[Plan] = []
    with form.checking(FIELDS):
        found.append(
            Plan(
                arms=tuple(one for one in arms if one is not None),
                audience=audience,
                programme_id=ProgrammeId(programme) if programme else None,
                holdout=cast("int", holdout),
                days=cast("int", whole["days"]),
                timing=timing,
                deadline_minutes=cast("int", whole["deadline_minutes"]),
                patience_hours=cast("int", whole["patience_hours"]),
                google_accepted_suffices=form.ticked("google_accepted_suffices"),
                texts_to=texts_to,
                budget=budget,
                most_texts=most_texts,
                canary_minutes=canary,
            )
        )
    return Written(name, kind, found[0], OfferId(offer) if offer else None) if found else None


def _arm(form: Form, index: int, brand: Brand) -> Arm | None:
    """One text; notes everything that is wrong with it."""
    at = f"arm.{index}."
    name = form.text(f"{at}name", longest=plan.LONGEST_ARM_NAME)
    weight = form.whole(f"{at}weight", least=1, most=_MOST_WEIGHT)
    line, sms = words_of(form, index, "", brand), words_of(form, index, "sms_", brand)
    if line is None:
        form.errors.setdefault(f"{at}{brand.language}", _("Please fill this in."))
    for what, text, longest in (("", line, plan.LONGEST_LINE), ("sms_", sms, plan.LONGEST_SMS)):
        for language in LANGUAGES:
            field = f"{at}{what}{language}"
            form.text(field, needed=False, longest=longest)
            if text is not None and (
                fault := fault_of(getattr(text, language), field, offer=bool(form["offer_id"]))
            ):
                form.errors.setdefault(
                    field if form[field] else f"{at}{what}{brand.language}", sentence(fault)
                )
    if line is None or weight is None or not form.ok:
        return None
    return Arm(name=name, line=line, sms=sms, weight=weight)
