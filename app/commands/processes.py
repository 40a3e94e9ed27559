"""How the processes of one `perkpass run` or `perkpass web` belong together."""

from __future__ import annotations

import os
import resource
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
MOST_CONNECTIONS = 4096
_OTHER_FILES = 256  # what a process opens beside its connections: database, logs, libraries


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


def room_for_connections() -> int:
    """How many connections a web process may hold; makes room for them as far as the system allows.

    Phones and proxies keep connections open that ask nothing: were there no room beside those, everybody
    else would wait until they are closed.
    """
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limit = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft)
    return max(limit - _OTHER_FILES, limit // 2)


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
