"""What the text message with a code says: in the guest's language, and in one part where that can be done.

Its last line binds the code to our host, so that phones offer it on our page and on no other: "Origin-bound
one-time codes delivered via SMS" (WICG), read by Safari since iOS 14 and by Chrome's WebOTP on Android.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from flask_babel import gettext as _

from app.sms.encoding import Measured

_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*")  # no address of numbers


def code_text(
    digits: str, *, brand_name: str, public_url: str, measure: Callable[[str], Measured]
) -> tuple[str, Measured]:
    """The text and how it is sent; ``measure`` is the gateway's."""
    whole = _("%(brand)s: code %(digits)s. Tell it to nobody.", digits=digits, brand=brand_name)
    short = _("%(brand)s: code %(digits)s", brand=brand_name, digits=digits)
    bound = bound_line(public_url, digits)
    candidates = [f"{words}\n{bound}" for words in (whole, short) if bound] + [whole, short]
    for words in candidates:
        if (measured := measure(words)).parts == 1:
            return words, measured
    bare = _("Code %(digits)s", digits=digits)  # a brand with a very long name
    return bare, measure(bare)


def bound_line(public_url: str, digits: str) -> str:
    """``@cards.example.com #123456``; empty where no phone takes it: the host must be https and named."""
    parts = urlsplit(public_url)
    if parts.scheme != "https" or not _NAME.fullmatch(parts.hostname or ""):
        return ""
    return f"@{parts.hostname} #{digits}"
