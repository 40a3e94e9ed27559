"""The error tree: what can go wrong, told so that a person can act on it.

::

    PerkpassError              anything this service says by itself
    ├── Refused                the caller asked for something that is not allowed; nothing was changed
    │   ├── BadInput           the words are wrong: fix them and ask again           (400)
    │   ├── Unauthorised       who are you?                                          (401)
    │   ├── NotFound           no such thing, or not in your brand                   (404)
    │   ├── Conflict           the thing is not in a state that allows it            (409)
    │   └── TooMany            a limit was reached; ask again later                  (429)
    ├── Misconfigured          the operator must act: certificate, settings, schema
    └── Unavailable            an outside party or the database did not answer; ask again

Every refusal carries a ``code`` (stable, for programs, kebab-case) beside its sentence (for people).
"""

from __future__ import annotations

from datetime import timedelta


class PerkpassError(Exception):
    """Root of everything the service raises on purpose."""


class Refused(PerkpassError):
    """A request that is not carried out; the database is as it was."""

    def __init__(self, code: str, message: str) -> None:
        """``code`` is stable and for programs, ``message`` says to a person what to do."""
        super().__init__(message)
        self.code = code
        self.message = message


class BadInput(Refused):
    """The words of the request are wrong."""

    def __init__(self, code: str, message: str, *, field: str | None = None) -> None:
        """``field`` names the part of the input that is at fault, where there is one."""
        super().__init__(code, message)
        self.field = field


class Unauthorised(Refused):
    """No valid credentials came with the request."""


class NotFound(Refused):
    """No such thing, or not one of the caller's."""


class Conflict(Refused):
    """The thing is not in a state that allows this."""


class TooMany(Refused):
    """A limit was reached."""

    def __init__(self, code: str, message: str, *, retry_after: timedelta) -> None:
        """``retry_after`` tells when asking again makes sense."""
        super().__init__(code, message)
        self.retry_after = retry_after


class Misconfigured(PerkpassError):
    """The operator must act; the message names the fix. ``faults`` lists every one that was found."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Unavailable(PerkpassError):
    """Something beyond this process did not answer in time."""
