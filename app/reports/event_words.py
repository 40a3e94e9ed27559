"""What happened to a member and their cards, in words. Pure.

``%(name)s`` stands for a fact of the verdict or the event, written by who says the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.reports import google_words
from app.reports.google_words import Words
from app.sentences import say

EVENTS: Final[Mapping[str, Words]] = {
    **google_words.EVENTS,
    "enrolled": lambda **facts: say("Got a card: %(programme)s, %(venue)s", **facts),
    "ended": lambda **facts: say("The card ended", **facts),
    "merged_away": lambda **facts: say("The card was united with the guest’s other card", **facts),
    "visit_scan": lambda **facts: say("Scanned the code: %(venue)s", **facts),
    "visit_page": lambda **facts: say("Saw the page", **facts),
    "visit_in_app": lambda **facts: say("Saw the page inside another app", **facts),
    "visit_form": lambda **facts: say("Filled in the form", **facts),
    "visit_added": lambda **facts: say("Added the card to a phone", **facts),
    "visit_removed": lambda **facts: say(
        "Removed the card from the phone, or switched off its updates", **facts
    ),
    "receipt": lambda **facts: say("Receipt %(number)s: %(amount)s, %(venue)s", **facts),
    "refund": lambda **facts: say("Receipt %(number)s was refunded", **facts),
    "points_accrual": lambda **facts: say("%(points)s added", **facts),
    "points_redemption": lambda **facts: say("%(points)s redeemed", **facts),
    "points_receipt_refund": lambda **facts: say("%(points)s taken back", **facts),
    "points_redemption_refund": lambda **facts: say("%(points)s given back", **facts),
    "points_moved": lambda **facts: say("%(points)s moved between cards", **facts),
    "points_expiry": lambda **facts: say("%(points)s expired", **facts),
    "points_import": lambda **facts: say("%(points)s taken over", **facts),
    "points_offer": lambda **facts: say("%(points)s added by an offer", **facts),
    "offer_granted": lambda **facts: say("Got an offer: %(offer)s", **facts),
    "offer_redeemed": lambda **facts: say("Redeemed the offer: %(offer)s", **facts),
    "offer_given_back": lambda **facts: say("Has the offer again after the refund: %(offer)s", **facts),
    "offer_expired": lambda **facts: say("The offer’s time ran out: %(offer)s", **facts),
    "offer_ended": lambda **facts: say("The offer was ended: %(offer)s", **facts),
    "offer_revoked": lambda **facts: say("The offer was taken off the card: %(offer)s", **facts),
    "offer_left": lambda **facts: say("The offer ended with the card: %(offer)s", **facts),
    "offer_united": lambda **facts: say("The guest had this offer twice: %(offer)s", **facts),
    "tier_rose": lambda **facts: say("New tier: %(tier)s", **facts),
    "tier_fell": lambda **facts: say("Tier fell to: %(tier)s", **facts),
    "hand_correction": lambda **facts: say("Balance corrected by hand: %(points)s. %(reason)s", **facts),
    "hand_block": lambda **facts: say("Card blocked. %(reason)s", **facts),
    "hand_unblock": lambda **facts: say("Card unblocked", **facts),
    "hand_reissue": lambda **facts: say("Card issued anew in place of %(former)s. %(reason)s", **facts),
    "consent_given_data": lambda **facts: say("Agreed to the processing of data", **facts),
    "consent_withheld_data": lambda **facts: say("Took back the consent to the processing of data", **facts),
    "consent_given_advertising": lambda **facts: say("Agreed to advertising", **facts),
    "consent_withheld_advertising": lambda **facts: say("No consent to advertising", **facts),
    "text": lambda **facts: say("Text message (%(text)s): %(state)s", **facts),
    "text_delivered": lambda **facts: say("Text message delivered", **facts),
    "text_undelivered": lambda **facts: say("Text message not delivered: %(reason)s", **facts),
    "code": lambda **facts: say("A code was sent to the number; wrong tries: %(tries)s", **facts),
    "noted_proved": lambda **facts: say("Proved the number by a code", **facts),
    "noted_merged": lambda **facts: say("Two entries of the guest became one", **facts),
    "noted_removed": lambda **facts: say("Forgotten at the guest’s wish", **facts),
    "noted_exported": lambda **facts: say("All data exported", **facts),
    "noted_link_revoked": lambda **facts: say("The card’s links were taken back", **facts),
    "changed": lambda **facts: say("The card changed (version %(version)s)", **facts),
    "listed": lambda **facts: say("A phone learned that version %(version)s is there", **facts),
    "told_again": lambda **facts: say(
        "The phone did not come for it and was told again (%(times)s)", **facts
    ),
    "fetched": lambda **facts: say("A phone downloaded version %(version)s", **facts),
    "installed": lambda **facts: say("A phone confirmed that it holds version %(version)s", **facts),
    "registered": lambda **facts: say("A phone signed up for changes", **facts),
    "registered_app": lambda **facts: say("An Android pass app signed up for changes", **facts),
    "registered_again": lambda **facts: say("The phone signed up anew", **facts),
    "contacted": lambda **facts: say("The phone asked what changed", **facts),
    "unreachable": lambda **facts: say("Apple said that it cannot reach the phone any more", **facts),
    "push_promised": lambda **facts: say("A push waits its turn", **facts),
    "push_waited": lambda **facts: say("A push was put in line", **facts),
    "push_held": lambda **facts: say("The push is held back: this phone was woken often lately", **facts),
    "push_accepted": lambda **facts: say("Apple accepted the push", **facts),
    "push_superseded": lambda **facts: say("A newer push took its place", **facts),
    "push_gone": lambda **facts: say("Not pushed: the phone had signed off", **facts),
    "push_refused": lambda **facts: say("Apple refused the push: %(reason)s", **facts),
    "push_exhausted": lambda **facts: say("Given up after %(tries)s tries: %(reason)s", **facts),
    "line_invalid": lambda **facts: say(
        "The phone downloaded the card and threw it away: it is not valid", **facts
    ),
    "line_denied": lambda **facts: say("The phone was told that it may not have this card", **facts),
    "line_not_downloaded": lambda **facts: say("The phone could not download the card", **facts),
    "line_not_registered": lambda **facts: say(
        "The phone could not sign up for changes of the card", **facts
    ),
    "line_not_listed": lambda **facts: say("The phone could not ask what changed", **facts),
    "line_wrong_card": lambda **facts: say("The phone asked for this card and got another one", **facts),
    "line_no_news": lambda **facts: say("The phone was woken although nothing had changed", **facts),
    "line_unchanged": lambda **facts: say("The phone was told of a change and found none", **facts),
    "line_stranger": lambda **facts: say("The phone was told of a card that it does not have", **facts),
    "line_ignored_date": lambda **facts: say(
        "The phone got the whole card although it had it already", **facts
    ),
    "line_no_date": lambda **facts: say("The phone got the card without its date", **facts),
    "line_no_tag": lambda **facts: say("The phone got a list without a mark to come back with", **facts),
    "line_lifecycle": lambda **facts: say("The phone told that the card was added or removed", **facts),
    "line_other": lambda **facts: say("The phone wrote: %(line)s", **facts),
}
"""By the kind of event."""
