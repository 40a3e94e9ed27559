"""How the processes of one `perkpass run` or `perkpass web` belong together."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.errors import Misconfigured
from app.settings import load

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LOOK_SECONDS = 1.0
_GRACE_SECONDS = 20.0


def web_application() -> WSGIApplication:
    """What a process of the WSGI server loads; it ends when the process that started it is gone."""
    from app import bootstrap

    end_with_parent(os.getppid(), _end)
    return bootstrap.make_web(load())


def end_with_parent(parent: int, act: Callable[[], None]) -> None:
    """Call ``act`` in a thread once ``parent`` is not our parent any more, however it ended.

    A pipe that closes would do, were it not for siblings that inherit its other end.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        act()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


def require_free_port(host: str, port: int, *, advice: str) -> None:
    """Raise :class:`Misconfigured` with ``advice`` where something listens already.

    The server itself would not notice another of its kind: both listen with SO_REUSEPORT, and the kernel
    would give each a share of the guests.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise Misconfigured(f"Cannot listen on {host} port {port}: {fault.strerror}. {advice}") from None
