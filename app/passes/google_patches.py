"""What differs between what Google has and what it should have: digests of fields, minimal patches. Pure.

Kept of a body is a digest of each field, not the body: some hundred bytes for each of 120,000 cards. PATCH
merges objects and replaces arrays, ``null`` clears; every nested object of ours always has the same keys, so
a field that is sent whole is a field that is right afterwards.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Sent = Mapping[str, str]
"""Field to digest of what Google took; a field whose state is not known has :data:`UNKNOWN`."""

UNKNOWN: Final = "?"
_NOT_COMPARED: Final = ("id", "reviewStatus", "messages")


def digest(value: Any) -> str:
    """Twelve characters that say whether a value is another one."""
    document = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(hashlib.blake2b(document.encode(), digest_size=9).digest()).decode()


def digests(body: Mapping[str, Any]) -> dict[str, str]:
    """What is kept of a body that Google took."""
    return {field: digest(value) for field, value in body.items() if field not in _NOT_COMPARED}


def patch(body: Mapping[str, Any], sent: Sent | None, fields: Sequence[str]) -> dict[str, Any]:
    """The fields that Google does not have as they are in ``body``; those that it should not have are None.

    ``sent`` None: what it has is not known, so all is sent, and what is absent of ``fields`` is cleared.
    """
    changed: dict[str, Any] = {}
    for field in fields:
        known = UNKNOWN if sent is None else sent.get(field)
        if field in body:
            if known != digest(body[field]):
                changed[field] = body[field]
        elif known is not None:
            changed[field] = None
    return changed


def doubted(sent: Sent | None, fields: Iterable[str]) -> dict[str, str] | None:
    """What is known after a patch of ``fields`` that may or may not have arrived."""
    return None if sent is None else {**sent, **dict.fromkeys(fields, UNKNOWN)}
