"""Enum values as Google answers them, in one casing.

Google reads both casings and has been seen to answer in the old one (``active``, ``underReview``, ``qrcode``;
and ``statusUnspecified``, which the discovery document does not even list). We send UPPER_SNAKE only, and
turn whatever comes back into it.
"""

from __future__ import annotations

import re
from typing import Any, Final

ENUMS: Final = frozenset(
    {
        "algorithm",
        "animationType",
        "dateFormat",
        "messageType",
        "multipleDevicesAndHoldersAllowedStatus",
        "nfcConstraint",
        "notifyPreference",
        "predefinedItem",
        "renderEncoding",
        "reviewStatus",
        "screenshotEligibility",
        "signupSharedDatas",
        "state",
        "transitOption",
        "type",
        "viewUnlockRequirement",
    }
)
"""Every field of a loyalty class, object or message that holds an enum [D]."""
_ODD: Final = {"qrcode": "QR_CODE"}
_SEAM: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])")


def upper(value: str) -> str:
    """One enum value in UPPER_SNAKE; what is so already stays as it is."""
    if "_" in value:
        return value.upper()
    return _ODD.get(value) or _SEAM.sub("_", value).upper()


def told(body: Any, field: str = "") -> Any:
    """A decoded JSON body with every enum in UPPER_SNAKE, in a copy; everything else as it came."""
    if isinstance(body, dict):
        return {name: told(value, name) for name, value in body.items()}
    if isinstance(body, list):
        return [told(value, field) for value in body]
    return upper(body) if isinstance(body, str) and field in ENUMS else body
