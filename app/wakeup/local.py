"""A bell for one machine: a datagram socket in the data directory."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

_LONGEST_PATH: Final = 100
"""Bytes that fit into a socket's address: 108 on Linux, 104 on macOS, with the terminating zero."""


class LocalWakeup:
    """Rings through a Unix datagram socket. One process can listen; any further one merely polls."""

    def __init__(self, path: Path) -> None:
        """``path`` of the socket; one too long for the system is replaced by a name made from its hash."""
        self.path = _fitting(path)
        self._listener: socket.socket | None = None
        self._sender: socket.socket | None = None
        self._lock = Lock()

    def ring(self) -> None:
        """Wake the listener, if there is one. A full socket is as good as a ring: somebody rang before."""
        with self._lock, suppress(OSError):
            if self._sender is None:
                self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._sender.setblocking(False)
            self._sender.sendto(b"!", str(self.path))

    def wait(self, timeout: float) -> bool:
        """Sleep until rung, at most ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        try:
            listener = self._listener or self._listen()
            listener.settimeout(max(timeout, 0.001))
            listener.recv(16)
            listener.setblocking(False)
            with suppress(BlockingIOError):
                while True:  # many rings are one
                    listener.recv(16)
            return True
        except TimeoutError:
            return False
        except OSError:
            self._stop_listening()
            time.sleep(max(0.0, deadline - time.monotonic()))
            return False

    def close(self) -> None:
        """Close both ends and remove the socket if it is ours."""
        ours = self._listener is not None
        self._stop_listening()
        if ours:
            with suppress(OSError):
                self.path.unlink()
        with self._lock:
            if self._sender is not None:
                self._sender.close()
                self._sender = None

    def _listen(self) -> socket.socket:
        """Bind the path; a socket file that nobody listens on is a dead process's, and is replaced."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            if self._somebody_listens():
                raise OSError("another process listens here")
            with suppress(FileNotFoundError):
                self.path.unlink()
            listener.bind(str(self.path))
            self.path.chmod(0o600)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        return listener

    def _somebody_listens(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(str(self.path))
            except OSError:
                return False
            return True

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _fitting(path: Path) -> Path:
    path = path.absolute()
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"perkpass-{os.getuid()}-{name}.sock"
