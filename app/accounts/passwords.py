"""Passwords: what one must be like, and how it is kept (Argon2id, OWASP's second choice of costs).

Hashing takes some tenths of a second and 46 MiB: never do it while a transaction is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import BoundedSemaphore
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.errors import BadInput

SHORTEST: Final = 10
"""Characters. No other rule of composition: NIST SP 800-63B, 5.1.1.2."""
LONGEST: Final = 200
_LEAST_DIFFERENT: Final = 5
_MOST_USED: Final = (
    "password", "passw0rd", "qwerty", "qwertyuiop", "asdfgh", "zxcvbn", "iloveyou", "letmein", "welcome",
    "administrator", "admin", "1234567890", "0987654321", "0123456789", "1q2w3e4r5t", "q1w2e3r4t5",
    "perkpass", "пароль", "йцукен", "фывапр", "привет", "абвгде",
)  # fmt: skip

_hash = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=46 * 1024, parallelism=1),))
_at_once = BoundedSemaphore(2)
"""Who sends many passwords is to take no more memory than this of the guests' requests."""
_NOBODYS: list[str] = []


def checked(password: str, *, about: Sequence[str] = ()) -> str:
    """The password, if nobody guesses it at once; ``about`` are words that are its owner's.

    Raises BadInput: password-short, password-long, password-known.
    """
    if len(password) < SHORTEST:
        raise BadInput(
            "password-short", f"The password needs at least {SHORTEST} characters", field="password"
        )
    if len(password) > LONGEST:
        raise BadInput("password-long", f"The password has more than {LONGEST} characters", field="password")
    bare = password.casefold()
    for word in sorted({*_MOST_USED, *(part for words in about for part in _parts(words))}, key=len)[::-1]:
        bare = bare.replace(word, "")
    if len(bare.strip("0123456789 !.@#$*_-")) < _LEAST_DIFFERENT and len(bare) < SHORTEST:
        raise _too_well_known()
    if len(set(password)) < _LEAST_DIFFERENT:
        raise _too_well_known()
    return password


def hashed(password: str) -> str:
    """How it is kept."""
    with _at_once:
        return _hash.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether this is it; as slow where nothing is kept, so that the time tells nobody who has an account."""
    if len(password) > LONGEST:
        password, kept = password[:LONGEST], None
    if not _NOBODYS:
        _NOBODYS.append(hashed("nobody's password at all"))
    with _at_once:
        same = _hash.verify(password, kept or _NOBODYS[0])
    return same and kept is not None


def _too_well_known() -> BadInput:
    return BadInput(
        "password-known",
        "This password is among the first that are tried: take some words that belong to nobody else",
        field="password",
    )


def _parts(words: str) -> list[str]:
    """The parts of a name or an address that are long enough to be told."""
    return [part for part in words.casefold().replace("@", " ").replace(".", " ").split() if len(part) > 3]
