"""Where Google and guests reach us: images, callbacks, the page that ends consent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from app.db.identifiers import WalletPassId

IMAGES: Final = "/google/images/"
CALLBACKS: Final = "/google/callbacks"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def image_digest(data: bytes) -> str:
    """What an image is called: SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Our public addresses, as they stand in classes and objects."""

    public_url: str  # without a slash at its end
    withdrawal: Callable[[WalletPassId, int], str] = lambda _pass_id, _key_version: ""
    """Where the holder of a pass (of that key version) ends their consent to advertising; "" for nowhere."""

    def image(self, digest: str) -> str:
        """Of an image of that digest: it says what the image is, so it may be kept for ever."""
        return f"{self.public_url}{IMAGES}{digest}.png"

    @property
    def callbacks(self) -> str | None:
        """Where Google tells of saves and deletions: https, or a simulator's on this machine, else None."""
        parts = urlsplit(self.public_url)
        reachable = parts.scheme == "https" or parts.hostname in _LOOPBACK
        return f"{self.public_url}{CALLBACKS}" if reachable else None
