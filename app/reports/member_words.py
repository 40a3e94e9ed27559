"""The sentences of a member's page, in English; a page says them in its reader's language. Pure.

``%(name)s`` stands for a fact of the event or verdict, written by who says the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.reports.verdicts import Cause

VERDICTS: Final[Mapping[Cause, tuple[str, str]]] = {
    "installed": ("The phone holds the newest card. It confirmed that %(at)s.", ""),
    "fetched": (
        "The phone downloaded the newest card %(at)s.",
        "It confirms that at its next request. If the guest sees an older card: open it, then pull it down.",
    ),
    "one_phone_lags": (
        "One phone has the newest card, but %(lagging)s of %(phones)s phones did not ask since the change.",
        "If the guest looks at such a phone: open the card in Wallet there and pull it down.",
    ),
    "ended": ("This card has ended: no phone is to show it any more.", ""),
    "not_https": (
        "No phone can take this card: the service’s address is not https, and iPhones refuse such cards.",
        "The operator puts a proxy with TLS in front and sets PERKPASS_PUBLIC_URL to its https address.",
    ),
    "never_added": (
        "No phone has this card: it was made, but not added.",
        "Show the guest the code on this page: their camera opens the card, “Add” puts it into the phone.",
    ),
    "removed": (
        "The card was removed from the phone, or its automatic updates were switched off, %(at)s.",
        "If the guest still has it: open the card, “…”, Pass Details, switch on Automatic Updates. "
        "If not, show them the code on this page.",
    ),
    "certificate_expired": (
        "The brand’s certificate has expired: no card can be signed and no phone woken. %(fault)s",
        "The owner renews it at Apple and uploads it. This card is updated then by itself.",
    ),
    "certificate": (
        "The brand’s certificate cannot be used: no card can be signed and no phone woken. %(fault)s",
        "The owner corrects it on the certificate’s page. This card is updated then by itself.",
    ),
    "download_failed": (
        "The phone was told of the change and failed to download it: “%(line)s” (%(at)s).",
        "Open the card and pull it down. If it fails again, pass this line on to the operator.",
    ),
    "downloading": ("The phone has just learned of the change and is downloading it.", "Wait a minute."),
    "listed_not_fetched": (
        "The phone learned of the change %(at)s and did not download it. We told it again %(again)s times.",
        "Its connection broke, most likely. Open the card where the network is good and pull it down.",
    ),
    "complains": (
        "The phone downloaded the newest card and complained: “%(line)s” (%(at)s).",
        "Check the card’s design; the guest may remove the card and add it again from the code on this page.",
    ),
    "asks_itself": (
        "The card is in an Android pass app, which cannot be woken and asks by itself.",
        "Open the app and refresh the card there.",
    ),
    "unreachable": (
        "Apple cannot reach this phone since %(at)s (%(reason)s): it was reset, or let go of the card.",
        "Open the card on the phone and pull it down, or add it again from the code on this page.",
    ),
    "not_asked_yet": (
        "The phone has had the card since %(at)s and has not asked for changes yet.",
        "Open the card and pull it down.",
    ),
    "breaker": (
        "Pushes of this brand are stopped: Apple does not let us in (%(reason)s). Nothing is lost.",
        "The owner checks the certificate. Pushes go on by themselves once Apple accepts one.",
    ),
    "held": (
        "This phone was woken often lately, so the push waits until %(at)s: iPhones switch off cards that"
        " push too often.",
        "Nothing to do. Whoever cannot wait opens the card and pulls it down.",
    ),
    "worker_down": (
        "Pushes are waiting and nobody sends them: no worker is running.",
        "The operator starts it: perkpass run, or perkpass worker. What waits is sent then.",
    ),
    "queue_behind": (
        "The push is due since %(at)s: many others go first.",
        "Wait some minutes. If it lasts, the operator adds workers.",
    ),
    "retrying": (
        "Apple did not take the push yet (%(reason)s). It is tried again %(at)s.",
        "Nothing to do: it is tried again by itself.",
    ),
    "waits_its_turn": ("The push leaves %(at)s, together with other changes.", "Wait a moment."),
    "about_to_leave": ("The card has changed just now, and the push is about to leave.", "Wait a moment."),
    "on_its_way": ("The push is on its way to Apple.", "Wait a moment."),
    "refused": (
        "Apple refused the push to this phone (%(reason)s) %(at)s.",
        "Open the card on the phone and pull it down: with that it signs up anew.",
    ),
    "gone": (
        "The phone had signed off when the push was to leave, %(at)s.",
        "Open the card and switch on Automatic Updates, or add it again from the code on this page.",
    ),
    "gave_up": (
        "Apple could not be reached: we gave up after %(tries)s tries (%(reason)s).",
        "The next change is pushed again. Until then: open the card and pull it down.",
    ),
    "told": ("Apple took the push %(at)s; the phone asks any moment now.", "Wait a minute."),
    "not_contacted": (
        "Apple took the push %(at)s, but the phone has not asked since: it is off, without network, or saves"
        " power.",
        "When it is online it asks by itself. To see it now: open the card and pull it down.",
    ),
}

EVENTS: Final[Mapping[str, str]] = {
    "enrolled": "Got a card: %(programme)s, %(venue)s",
    "ended": "The card ended",
    "merged_away": "The card was united with the guest’s other card",
    "visit_scan": "Scanned the code: %(venue)s",
    "visit_page": "Saw the page",
    "visit_in_app": "Saw the page inside another app",
    "visit_form": "Filled in the form",
    "visit_added": "Added the card to a phone",
    "visit_removed": "Removed the card from the phone, or switched off its updates",
    "receipt": "Receipt %(number)s: %(amount)s, %(venue)s",
    "refund": "Receipt %(number)s was refunded",
    "points_accrual": "%(points)s added",
    "points_redemption": "%(points)s redeemed",
    "points_receipt_refund": "%(points)s taken back",
    "points_redemption_refund": "%(points)s given back",
    "points_moved": "%(points)s moved between cards",
    "points_expiry": "%(points)s expired",
    "points_import": "%(points)s taken over",
    "tier_rose": "New level: %(tier)s",
    "tier_fell": "Level fell to: %(tier)s",
    "hand_correction": "Balance corrected by hand: %(points)s. %(reason)s",
    "hand_block": "Card blocked. %(reason)s",
    "hand_unblock": "Card unblocked",
    "hand_reissue": "Card issued anew in place of %(former)s. %(reason)s",
    "consent_given_data": "Agreed to the processing of data",
    "consent_withheld_data": "Took back the consent to the processing of data",
    "consent_given_advertising": "Agreed to advertising",
    "consent_withheld_advertising": "No consent to advertising",
    "text": "Text message (%(text)s): %(state)s",
    "text_delivered": "Text message delivered",
    "text_undelivered": "Text message not delivered: %(reason)s",
    "code": "A code was sent to the number; wrong tries: %(tries)s",
    "noted_proved": "Proved the number by a code",
    "noted_merged": "Two entries of the guest became one",
    "noted_removed": "Forgotten at the guest’s wish",
    "noted_exported": "All data exported",
    "noted_link_revoked": "The card’s links were taken back",
    "changed": "The card changed (version %(version)s)",
    "listed": "A phone learned that version %(version)s is there",
    "told_again": "The phone did not come for it and was told again (%(times)s)",
    "fetched": "A phone downloaded version %(version)s",
    "installed": "A phone confirmed that it holds version %(version)s",
    "registered": "A phone signed up for changes",
    "registered_app": "An Android pass app signed up for changes",
    "registered_again": "The phone signed up anew",
    "contacted": "The phone asked what changed",
    "unreachable": "Apple said that it cannot reach the phone any more",
    "push_promised": "A push waits its turn",
    "push_held": "The push is held back: this phone was woken often lately",
    "push_accepted": "Apple took the push",
    "push_superseded": "A newer push took its place",
    "push_gone": "Not pushed: the phone had signed off",
    "push_refused": "Apple refused the push: %(reason)s",
    "push_exhausted": "Given up after %(tries)s tries: %(reason)s",
    "line_invalid": "The phone downloaded the card and threw it away: it is not valid",
    "line_denied": "The phone was told that it may not have this card",
    "line_not_downloaded": "The phone could not download the card",
    "line_not_registered": "The phone could not sign up for changes of the card",
    "line_not_listed": "The phone could not ask what changed",
    "line_wrong_card": "The phone asked for this card and got another one",
    "line_no_news": "The phone was woken although nothing had changed",
    "line_unchanged": "The phone was told of a change and found none",
    "line_stranger": "The phone was told of a card that it does not have",
    "line_ignored_date": "The phone got the whole card although it had it already",
    "line_no_date": "The phone got the card without its date",
    "line_no_tag": "The phone got a list without a mark to come back with",
    "line_lifecycle": "The phone told that the card was added or removed",
    "line_other": "The phone wrote: %(line)s",
}
