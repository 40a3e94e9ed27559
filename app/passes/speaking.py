"""One message at a time: what a card says on the lock screen while the one before has not been seen. Pure.

iOS compares the version that is installed with the one that it fetches. So a message whose place another one
took before the phone came was never shown, and one that says the same words again notifies nobody. A message
therefore holds its place until a phone fetched a version that says it, or its time is over; a newcomer is
combined with it, takes its place, or waits (:mod:`app.passes.announcing`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from app.passes.content import MOST_MESSAGES, LocalizedText, Message, PassContent

PATIENCE = timedelta(hours=24)
"""How long an unseen message keeps its place where it does not say."""
CAMPAIGN = "campaign"
_UNSEEN_MARK = "\N{WORD JOINER}"  # takes no room and breaks no line

Speech = Callable[[Message | None], Message | None]
"""Makes a card's next message; given the unseen one whose place it takes, where both may be combined."""


def unseen(content: PassContent, seen_version: int | None, now: datetime) -> Message | None:
    """The message that holds its place.

    ``seen_version``: the newest that some phone fetched; None where no phone holds the card, and nobody is to
    be waited for.
    """
    if seen_version is None or not content.messages:
        return None
    newest = content.messages[0]
    return newest if newest.version > seen_version and now < ends_at(newest) else None


def ends_at(message: Message) -> datetime:
    """When an unseen message gives up its place."""
    return message.until or message.at + PATIENCE


def may_be_displaced(message: Message) -> bool:
    """Whether a receipt takes its place: what is lost comes back later."""
    return message.announcement.partition(":")[0] == CAMPAIGN


def spoken(content: PassContent, speech: Speech, held: Message | None, *, version: int) -> PassContent:
    """The card with one more message, first said by ``version``; as it was where there is nothing to say.

    What was ``held`` and not seen is not among the last messages any more: it was combined, or waits again.
    """
    combined = held if held is not None and not may_be_displaced(held) else None
    said = speech(combined)
    if said is None:
        return content
    earlier = content.messages[1:] if held is not None else content.messages
    on_phones = [message.text for message in content.messages[:2]]
    message = replace(said, text=_unlike(said.text, on_phones), version=version)
    return replace(content, messages=(message, *earlier)[:MOST_MESSAGES])


def _unlike(text: LocalizedText, others: list[LocalizedText]) -> LocalizedText:
    """The same words, written so that iOS finds them changed."""
    while any(text.ru == other.ru or text.en == other.en for other in others):
        text = LocalizedText(text.ru + _UNSEEN_MARK, text.en + _UNSEEN_MARK)
    return text
