"""Why a phone does not show the newest card, in words, and what to do about it. Pure.

``%(name)s`` stands for a fact of the verdict or the event, written by who says the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.reports import google_words
from app.reports.google_words import Words
from app.reports.verdicts import Cause
from app.sentences import say

VERDICTS: Final[Mapping[Cause, tuple[Words, Words | None]]] = {
    **google_words.VERDICTS,
    "installed": (
        lambda **facts: say("The phone holds the newest card. It confirmed that %(at)s.", **facts),
        None,
    ),
    "fetched": (
        lambda **facts: say("The phone downloaded the newest card %(at)s.", **facts),
        lambda **facts: say(
            "It confirms that at its next request. If the guest sees an older card: open "
            "it, then pull it down.",
            **facts,
        ),
    ),
    "one_phone_lags": (
        lambda **facts: say(
            "One phone has the newest card, but %(lagging)s of %(phones)s phones did not "
            "ask since the change.",
            **facts,
        ),
        lambda **facts: say(
            "If the guest looks at such a phone: open the card in Wallet there and pull it down.", **facts
        ),
    ),
    "ended": (
        lambda **facts: say("This card has ended: no phone is to show it any more.", **facts),
        None,
    ),
    "not_https": (
        lambda **facts: say(
            "No phone can take this card: the service’s address is not https, and iPhones refuse such cards.",
            **facts,
        ),
        lambda **facts: say(
            "The operator puts a proxy with TLS in front and sets PERKPASS_PUBLIC_URL to its https address.",
            **facts,
        ),
    ),
    "never_added": (
        lambda **facts: say("No phone has this card: it was made, but not added.", **facts),
        lambda **facts: say(
            "Show the guest the code on this page: their camera opens the card, “Add” puts "
            "it into the phone.",
            **facts,
        ),
    ),
    "removed": (
        lambda **facts: say(
            "The card was removed from the phone, or its automatic updates were switched off, %(at)s.",
            **facts,
        ),
        lambda **facts: say(
            "If the guest still has it: open the card, “…”, Pass Details, switch on "
            "Automatic Updates. If not, show them the code on this page.",
            **facts,
        ),
    ),
    "certificate_expired": (
        lambda **facts: say(
            "The brand’s certificate has expired: no card can be signed and no phone woken. %(fault)s",
            **facts,
        ),
        lambda **facts: say(
            "The owner renews it at Apple and uploads it. This card is updated then by itself.", **facts
        ),
    ),
    "certificate": (
        lambda **facts: say(
            "The brand’s certificate cannot be used: no card can be signed and no phone woken. %(fault)s",
            **facts,
        ),
        lambda **facts: say(
            "The owner corrects it on the certificate’s page. This card is updated then by itself.", **facts
        ),
    ),
    "download_failed": (
        lambda **facts: say(
            "The phone was told of the change and failed to download it: “%(line)s” (%(at)s).", **facts
        ),
        lambda **facts: say(
            "Open the card and pull it down. If it fails again, pass this line on to the operator.", **facts
        ),
    ),
    "downloading": (
        lambda **facts: say("The phone has just learned of the change and is downloading it.", **facts),
        lambda **facts: say("Wait a minute.", **facts),
    ),
    "listed_not_fetched": (
        lambda **facts: say(
            "The phone learned of the change %(at)s and did not download it. We told it "
            "again %(again)s times.",
            **facts,
        ),
        lambda **facts: say(
            "Its connection broke, most likely. Open the card where the network is good and pull it down.",
            **facts,
        ),
    ),
    "complains": (
        lambda **facts: say(
            "The phone downloaded the newest card and complained: “%(line)s” (%(at)s).", **facts
        ),
        lambda **facts: say(
            "Check the card’s design; the guest may remove the card and add it again from "
            "the code on this page.",
            **facts,
        ),
    ),
    "asks_itself": (
        lambda **facts: say(
            "The card is in an Android pass app, which cannot be woken and asks by itself.", **facts
        ),
        lambda **facts: say("Open the app and refresh the card there.", **facts),
    ),
    "unreachable": (
        lambda **facts: say(
            "Apple cannot reach this phone since %(at)s (%(reason)s): it was reset, or let go of the card.",
            **facts,
        ),
        lambda **facts: say(
            "Open the card on the phone and pull it down, or add it again from the code on this page.",
            **facts,
        ),
    ),
    "not_asked_yet": (
        lambda **facts: say(
            "The phone has had the card since %(at)s and has not asked for changes yet.", **facts
        ),
        lambda **facts: say("Open the card and pull it down.", **facts),
    ),
    "breaker": (
        lambda **facts: say(
            "Pushes of this brand are stopped: Apple does not let us in (%(reason)s). Nothing is lost.",
            **facts,
        ),
        lambda **facts: say(
            "The owner checks the certificate. Pushes go on by themselves once Apple accepts one.", **facts
        ),
    ),
    "held": (
        lambda **facts: say(
            "This phone was woken often lately, so the push waits until %(at)s: iPhones "
            "switch off cards that push too often.",
            **facts,
        ),
        lambda **facts: say("Nothing to do. Whoever cannot wait opens the card and pulls it down.", **facts),
    ),
    "worker_down": (
        lambda **facts: say("Pushes are waiting and nobody sends them: no worker is running.", **facts),
        lambda **facts: say(
            "The operator starts it: perkpass run, or perkpass worker. What waits is sent then.", **facts
        ),
    ),
    "queue_behind": (
        lambda **facts: say("The push is due since %(at)s: many others go first.", **facts),
        lambda **facts: say("Wait some minutes. If it lasts, the operator adds workers.", **facts),
    ),
    "retrying": (
        lambda **facts: say(
            "Apple has not accepted the push yet (%(reason)s). It is tried again %(at)s.", **facts
        ),
        lambda **facts: say("Nothing to do: it is tried again by itself.", **facts),
    ),
    "waits_its_turn": (
        lambda **facts: say("The push leaves %(at)s, together with other changes.", **facts),
        lambda **facts: say("Wait a moment.", **facts),
    ),
    "about_to_leave": (
        lambda **facts: say("The card has changed just now, and the push is about to leave.", **facts),
        lambda **facts: say("Wait a moment.", **facts),
    ),
    "on_its_way": (
        lambda **facts: say("The push is on its way to Apple.", **facts),
        lambda **facts: say("Wait a moment.", **facts),
    ),
    "refused": (
        lambda **facts: say("Apple refused the push to this phone (%(reason)s) %(at)s.", **facts),
        lambda **facts: say(
            "Open the card on the phone and pull it down: with that it signs up anew.", **facts
        ),
    ),
    "gone": (
        lambda **facts: say("The phone had signed off when the push was to leave, %(at)s.", **facts),
        lambda **facts: say(
            "Open the card and switch on Automatic Updates, or add it again from the code on this page.",
            **facts,
        ),
    ),
    "gave_up": (
        lambda **facts: say(
            "Apple could not be reached: we gave up after %(tries)s tries (%(reason)s).", **facts
        ),
        lambda **facts: say(
            "The next change is pushed again. Until then: open the card and pull it down.", **facts
        ),
    ),
    "told": (
        lambda **facts: say("Apple accepted the push %(at)s; the phone asks any moment now.", **facts),
        lambda **facts: say("Wait a minute.", **facts),
    ),
    "not_contacted": (
        lambda **facts: say(
            "Apple accepted the push %(at)s, but the phone has not asked since: it is off, "
            "without network, or saves power.",
            **facts,
        ),
        lambda **facts: say(
            "When it is online it asks by itself. To see it now: open the card and pull it down.", **facts
        ),
    ),
}
"""By the cause: the answer, and what to do about it."""
