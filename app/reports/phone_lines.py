"""What a line of a phone's own log means, in plain words: a key of the sentence. Pure.

iOS writes English sentences into the service's log ("Receive Log Messages"); which ones there are was read
from the log of passd and of its simulator, and is no contract of Apple's.
"""

from __future__ import annotations

import re
from typing import Final

Meaning = str
"""Ends the name of a sentence of :data:`app.reports.event_words.EVENTS`; "other" for an unknown line."""

_KNOWN: Final = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"Received invalid pass data", "invalid"),
        (r"Requested serial number .* received serial number", "wrong_card"),
        (r"encountered error: Authentication failure", "denied"),
        (r"Get pass task.*encountered error", "not_downloaded"),
        (r"(Register|Unregister) task.*encountered error", "not_registered"),
        (r"Get serial #s task.*encountered error", "not_listed"),
        (r"spurious push", "no_news"),
        (r"but the pass was unchanged", "unchanged"),
        (r"unregistered serial number", "stranger"),
        (r"ignored the 'if-modified-since'", "ignored_date"),
        (r"did not provide a 'last-modified'", "no_date"),
        (r"lastUpdated tag", "no_tag"),
        (r"^passLifecycleUpdate", "lifecycle"),
    )
)


_FAILURES: Final = frozenset({"invalid", "denied", "not_downloaded", "wrong_card"})


def meaning(line: str) -> Meaning:
    """What the line says."""
    return next((known for pattern, known in _KNOWN if pattern.search(line)), "other")


def tells_failure(line: str) -> bool:
    """Whether the line says that a download of the card came to nothing."""
    return meaning(line) in _FAILURES
