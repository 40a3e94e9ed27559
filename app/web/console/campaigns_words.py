"""What campaigns are called in words: states, recipients, reasons, and refusals of the rooms below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flask_babel import gettext as _

from app.campaigns.plan import Plan
from app.campaigns.store_campaigns import Campaign
from app.reports.campaign_member import Line
from app.reports.campaign_progress import Group
from app.web.console.wording import explain

Tone = Literal["good", "wait", "warn", "wrong", "calm"]
ORDER = (
    "reached", "google_accepted", "text_delivered", "text_accepted", "texting", "said", "waiting",
    "unreached", "text_failed", "held_out", "held_back", "cancelled",
)  # fmt: skip
"""Of recipients, the best first."""


def state_words(campaign: Campaign) -> tuple[str, Tone]:
    """Where it stands, in a word or two."""
    words: dict[str, tuple[str, Tone]] = {
        "draft": (_("draft"), "calm"),
        "scheduled": (_("scheduled"), "calm"),
        "canary": (_("trying on a few"), "good"),
        "running": (_("being sent"), "good"),
        "paused": (_("paused"), "warn"),
        "stopped": (_("stopped"), "wrong"),
        "measuring": (_("sent, being measured"), "good"),
        "done": (_("finished"), "calm"),
        "cancelled": (_("cancelled"), "calm"),
    }
    return words[campaign.state]


def next_words(campaign: Campaign) -> str:
    """What is to be done about it, where something is."""
    words: dict[str, str] = {
        "draft": _("Review and send it"),
        "paused": _("Resume or cancel it"),
        "stopped": _("Look why it stopped"),
    }
    return words.get(campaign.state, "")


def stopped_words(because: str | None) -> str:
    """Why the first few guests stopped it."""
    words: dict[str, str] = {
        "removals": _("More of the first guests removed their cards than of those who were told nothing."),
        "offer_over": _("The offer that it brings is over: choose another one in a new campaign."),
        "errors": _("Apple or Google would not take the change of too many cards."),
    }
    return words.get(because or "", because or "")


def recipient_words(state: str) -> tuple[str, Tone]:
    """What became of recipients in this state."""
    words: dict[str, tuple[str, Tone]] = {
        "waiting": (_("Waiting for their moment"), "wait"),
        "said": (_("Card changed, phone not heard of yet"), "wait"),
        "reached": (_("Reached: the phone came for it"), "good"),
        "google_accepted": (_("Taken by Google Wallet"), "good"),
        "texting": (_("Being texted"), "wait"),
        "text_accepted": (_("Texted, no receipt yet"), "wait"),
        "text_delivered": (_("Text delivered"), "good"),
        "text_failed": (_("Text failed"), "warn"),
        "unreached": (_("Not reached"), "warn"),
        "held_out": (_("Told nothing, to compare with"), "calm"),
        "held_back": (_("Held back"), "calm"),
        "cancelled": (_("Called off"), "calm"),
    }
    return words.get(state, (state, "calm"))


def because_words(because: str | None) -> str:
    """Why somebody was held back or not reached."""
    words: dict[str, str] = {
        "no_consent": _("no consent to advertising"),
        "cap": _("heard from you often enough lately"),
        "no_way": _("no card in a wallet, and no text allowed"),
        "left": _("not a guest any more"),
        "too_late": _("no allowed hour before the end"),
        "no_offer": _("had the offer before, or cannot have it"),
        "no_number": _("no phone number"),
        "silenced": _("the number wants no texts"),
        "budget": _("the money for texts was spent"),
        "no_price": _("nobody knows what a text to this number costs"),
        "no_text": _("no texts were asked for"),
        "no_login": _("the brand sends no texts"),
        "bad_text": _("the text was too long, or empty"),
        "same_number": _("another guest with this number was texted"),
        "merged": _("the guest has another card by now"),
        "offer_over": _("the offer was over"),
        "stopped": _("the campaign rested for too long"),
        "cancelled": _("the campaign was cancelled"),
    }
    return words.get(because or "", because or "")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the progress: how many, in words, and how much of the audience that is."""

    words: str
    tone: Tone
    guests: int
    share: float
    reasons: tuple[tuple[str, int], ...]  # in words, and how many


def steps(groups: Sequence[Group]) -> list[Step]:
    """Everybody who was met, once; the best first."""
    whole = sum(one.guests for one in groups)
    found = []
    for state in ORDER:
        own = sorted((one for one in groups if one.state == state), key=lambda one: -one.guests)
        if own:
            guests = sum(one.guests for one in own)
            reasons = tuple((because_words(one.because), one.guests) for one in own if one.because)
            found.append(Step(*recipient_words(state), guests, guests / whole, reasons))
    return found


def line_words(line: Line) -> str:
    """A campaign on a guest's page: what became of it, and why."""
    told = recipient_words(line.state)[0]
    return f"{told}: {because_words(line.because)}" if line.because else told


def plan_words(plan: Plan) -> list[tuple[str, str]]:
    """How it goes, as names and values."""
    texts = {
        "nobody": _("nobody"),
        "unreached": _("whom the card did not reach"),
        "unreached_and_cardless": _("whom the card did not reach, and who has none"),
    }
    found = [
        (_("Each guest"), _("at once") if plan.timing == "at_once" else _("at their best hour")),
        (_("Wait for the phone"), _("%(minutes)s min", minutes=plan.deadline_minutes)),
        (_("Texts go to"), texts[plan.texts_to]),
        (_("Told nothing, to compare with"), f"{plan.holdout / 100:g} %"),
        (_("Measured for"), _("%(days)s days", days=plan.days)),
    ]
    if plan.canary_minutes:
        found.append(
            (
                _("First tried on"),
                _("one guest in a hundred, for %(minutes)s min", minutes=plan.canary_minutes),
            )
        )
    return found


explain(
    {
        "unknown-merge-field": lambda _fault: _("There is no such field. The ones there are stand above."),
        "no-words-without": lambda _fault: _(
            "Some guests have none: write what they read instead, as in {name|dear guest}."
        ),
        "lone-brace": lambda _fault: _("A brace stands alone: a field looks like {balance}."),
        "no-offer": lambda _fault: _("This field belongs to an offer, and the campaign has none."),
        "no-budget": lambda _fault: _("Say how much the texts may cost, or how many there may be."),
        "bad-arms": lambda _fault: _(
            "Give each text a name of its own, and at least one guest in a hundred."
        ),
        "bad-holdout": lambda _fault: _("From 1 to 50 per cent, or 0."),
        "bad-deadline": lambda _fault: _("It must hold at least as long as the phone is waited for."),
        "name-taken": lambda _fault: _("There is a campaign of this name already."),
        "edited-meanwhile": lambda _fault: _(
            "Somebody else changed this campaign meanwhile. Yours is still in this form: save it again to"
            " keep it instead."
        ),
        "wrong-state": lambda _fault: _("The campaign went on meanwhile, and this cannot be done now."),
        "bad-start": lambda _fault: _("Choose a time between now and a year from now."),
        "bad-limits": lambda _fault: _("From 1 to 100 messages in 1 to 90 days."),
        "text-too-long": lambda _fault: _("This takes more than 10 parts: make it shorter."),
        "half-character": lambda _fault: _("The text holds half a character: type it again."),
    }
)
