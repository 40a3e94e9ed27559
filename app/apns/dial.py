"""How to reach APNs: where it is, who we are, and one try to connect."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.apns import faults
from app.apns.connection import Connection, Owner
from app.apns.faults import WireBroken
from app.apns.patience import Patience
from app.apns.requests import RequestEncoder
from app.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address, one certificate, one topic."""

    host: str
    port: int
    topic: str
    tls: ssl.SSLContext
    patience: Patience

    @property
    def address(self) -> str:
        """For people: ``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """For ``:authority``: the port only where it is not 443."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"

    def encoder(self) -> RequestEncoder:
        """Header blocks for one connection; raises ValueError where the topic cannot be a header."""
        return RequestEncoder(authority=self.authority, topic=self.topic)

    async def connect(self, owner: Owner) -> WireBroken | None:
        """Resolve the name anew, connect and wait for the server's SETTINGS.

        ``owner`` is told by ``opened`` when the connection is ready; returns why where it never was.
        """
        connection = Connection(
            owner, address=self.address, encoder=self.encoder(), ping_timeout=self.patience.ping_timeout
        )
        try:
            async with asyncio.timeout(self.patience.connect_timeout):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    self.host,
                    self.port,
                    ssl=self.tls,
                    ssl_shutdown_timeout=self.patience.ping_timeout,
                    happy_eyeballs_delay=0.25,
                )
                await connection.settled
        except OSError as error:
            return faults.before_http2(error, self.address)
        finally:
            if not connection.ready:
                connection.abort("the connection was given up")
                await asyncio.wait([connection.gone], timeout=self.patience.ping_timeout)
        return None if connection.ready else connection.fault


def host_and_port(url: str) -> tuple[str, int]:
    """The parts of ``https://host[:port]``; raises :class:`Misconfigured`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
        (host or "").encode("idna")  # as the resolver will, where it is too late to say so kindly
    except ValueError:
        host, port = None, 0
    if not host or not url.startswith("https://") or parts.path.strip("/") or parts.username:
        raise Misconfigured(f"the address of APNs must be like https://api.push.apple.com, not {url!r}")
    return host, port
