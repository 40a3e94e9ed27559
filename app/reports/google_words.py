"""How a card stands at Google, and what happened to it there, in words. Pure.

Google says what it took, and never what a phone showed: none of these sentences says more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from app.sentences import Sentence, say

if TYPE_CHECKING:
    from app.reports.verdicts import Cause

Words = Callable[..., Sentence]
"""Takes the facts by name, as text; those that the sentence does not name are left out."""

VERDICTS: Final[Mapping[Cause, tuple[Words, Words | None]]] = {
    "google_accepted": (
        lambda **facts: say(
            "Google took the newest card %(at)s and was asked to notify the guest. Whether the phone "
            "showed it, Google does not tell.",
            **facts,
        ),
        lambda **facts: say(
            "If the guest sees an older card: open it in Google Wallet while the phone is online.", **facts
        ),
    ),
    "google_silent": (
        lambda **facts: say(
            "Google took the newest card %(at)s, without a notification. Whether the phone shows it, Google "
            "does not tell.",
            **facts,
        ),
        lambda **facts: say(
            "If the guest sees an older card: open it in Google Wallet while the phone is online.", **facts
        ),
    ),
    "google_held": (
        lambda **facts: say(
            "Google took the newest card %(at)s, without a notification: it lets a card notify three times "
            "in 24 hours, and these were used up.",
            **facts,
        ),
        lambda **facts: say("Nothing to do: the news is on the card.", **facts),
    ),
    "google_has": (lambda **facts: say("Google has the newest card.", **facts), None),
    "google_never_saved": (
        lambda **facts: say("Google has the card, but nobody saved it in Google Wallet.", **facts),
        lambda **facts: say(
            "Show the guest the code on this page: their camera opens the card, the button puts it into "
            "Google Wallet.",
            **facts,
        ),
    ),
    "google_removed": (
        lambda **facts: say("The card was removed from Google Wallet %(at)s.", **facts),
        lambda **facts: say(
            "Show the guest the code on this page: their camera opens the card, the button puts it into "
            "Google Wallet.",
            **facts,
        ),
    ),
    "google_failed": (
        lambda **facts: say("Google did not take the card (%(reason)s) %(at)s.", **facts),
        lambda **facts: say(
            "Pass this line on to the operator. The card’s next change is tried again.", **facts
        ),
    ),
    "google_stopped": (
        lambda **facts: say(
            "Changes for Google Wallet are stopped: Google does not let us in (%(reason)s). Nothing is lost.",
            **facts,
        ),
        lambda **facts: say(
            "The owner checks the brand’s account at Google. Changes go on by themselves once Google lets us "
            "in.",
            **facts,
        ),
    ),
    "google_worker_down": (
        lambda **facts: say(
            "Changes for Google Wallet are waiting and nobody sends them: no worker is running.", **facts
        ),
        lambda **facts: say(
            "The operator starts it: perkpass run, or perkpass worker. What waits is sent then.", **facts
        ),
    ),
    "google_retrying": (
        lambda **facts: say(
            "Google did not take the change yet (%(reason)s). It is tried again %(at)s.", **facts
        ),
        lambda **facts: say("Nothing to do: it is tried again by itself.", **facts),
    ),
    "google_waits": (
        lambda **facts: say("The card has changed just now, and Google is about to be told.", **facts),
        lambda **facts: say("Wait a moment.", **facts),
    ),
}
"""By the cause: the answer, and what to do about it."""

EVENTS: Final[Mapping[str, Words]] = {
    "google_made": lambda **facts: say("Google took the card: it can be saved in Google Wallet", **facts),
    "google_saved": lambda **facts: say("Saved in Google Wallet", **facts),
    "google_removed": lambda **facts: say("Removed from Google Wallet", **facts),
    "google_promised": lambda **facts: say("Google is to be told of a change", **facts),
    "google_accepted": lambda **facts: say("Google took the change and was asked to notify", **facts),
    "google_accepted_silently": lambda **facts: say(
        "Google took the change, without a notification", **facts
    ),
    "google_no_holder": lambda **facts: say("Google took the change; nobody holds the card there", **facts),
    "google_held_by_quota": lambda **facts: say(
        "Google took the change, without a notification: three in 24 hours were used up", **facts
    ),
    "google_failed": lambda **facts: say("Google did not take the change: %(reason)s", **facts),
    "google_superseded": lambda **facts: say("A newer change for Google took its place", **facts),
}
"""By the kind of event."""

SHOWN: Final[Mapping[str, Sentence]] = {
    "accepted": say("accepted"),
    "accepted_silently": say("accepted silently"),
    "no_holder": say("no holder"),
    "held_by_quota": say("held back by quota"),
    "failed": say("failed"),
}
"""What became of a change, in a word or two."""
