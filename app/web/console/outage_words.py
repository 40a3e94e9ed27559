"""What is the matter with the database, in the reader's language; the log says it in English."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext as _

from app.db.outages import Reason, outage_of

_REASONS: Mapping[Reason, Callable[[], str]] = {
    "disk full": lambda: _(
        "The disk that the database lies on is full. Nothing was changed, and nothing is lost: free some"
        " space on the server, and it goes on by itself."
    ),
    "read-only": lambda: _(
        "The database can be read, and not written. Nothing was changed: see on the server whether its file"
        " system is read-only, and to whom its file belongs."
    ),
    "disk failing": lambda: _(
        "The disk that the database lies on refuses to be written. Nothing was changed: look on the server"
        " for a full quota and at the health of the disk."
    ),
    "not opened": lambda: _(
        "The database’s file cannot be opened. Nothing was changed: see on the server whether it is there,"
        " and to whom it belongs."
    ),
}


def outage_words(fault: BaseException) -> str:
    """What the outage is and what to do; for anything else that it does not answer."""
    outage = outage_of(fault)
    told = _REASONS.get(outage.reason) if outage else None
    if told is not None:
        return told()
    return str(_("The database does not answer. Nothing was changed; try again in a minute."))
