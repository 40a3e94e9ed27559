"""HTTP/1.1 load from a process of its own: prebuilt requests over kept connections, one in flight on each.

Phones are told apart by their scripts: a connection plays one script to its end, request after request, and
takes the next. Nothing is parsed but the status and the end of each answer, so that the generator can do
several times what any server here can; :attr:`Answers.busy` tells how near to its own limit it came.
"""

from __future__ import annotations

import multiprocessing
import os
import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle

Script = tuple[bytes, ...]
_PATIENCE = 60.0  # seconds without any answer
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_WITHOUT_BODY = (b"204", b"304")


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back."""

    seconds: float
    busy: float  # share of that time in which the generator used its core
    statuses: dict[int, int]
    octets: int
    latencies: array[float]  # seconds, in order of arrival

    @property
    def count(self) -> int:
        """How many."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds

    @property
    def ceiling(self) -> float:
        """What the generator could have done with its whole core."""
        return self.rate / self.busy

    def milliseconds(self, share: float) -> float:
        """The latency that this share of the answers kept within: 0.5 is the median."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3

    def expect(self, *statuses: int) -> Answers:
        """Itself, where no other status came; raises RuntimeError otherwise."""
        if other := {status: count for status, count in self.statuses.items() if status not in statuses}:
            raise RuntimeError(f"answers with other statuses than {statuses}: {other}")
        return self


class Generator:
    """Hands loads to the other process, one at a time; use :func:`running`."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def once(self, port: int, scripts: Sequence[Script], *, connections: int) -> Answers:
        """Play every script to its end once."""
        return self._pool.submit(_drive, port, scripts, connections, None).result()

    def during(self, port: int, scripts: Sequence[Script], *, connections: int, seconds: float) -> Answers:
        """Play the scripts over and over for so long."""
        return self._pool.submit(_drive, port, scripts, connections, seconds).result()


@contextmanager
def running(cores: set[int] | None = None) -> Iterator[Generator]:
    """A generator that keeps to ``cores``."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_keep_to, initargs=(cores,)) as pool:
        yield Generator(pool)


def get(path: str, **headers: str) -> bytes:
    """One request; ``_`` in a header's name stands for ``-``."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _keep_to(cores: set[int] | None) -> None:
    if cores:
        os.sched_setaffinity(0, cores)


class _Phone:
    """One connection and the script that is played on it."""

    __slots__ = ("_begun", "_head", "_missing", "_rest", "_status", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest: Iterator[bytes] = iter(())
        self._head = b""
        self._missing = -1  # octets of the body that are still to come; -1: the head is
        self._status = b""
        self._begun = 0.0

    def play(self, script: Script) -> None:
        self._rest = iter(script)
        self.ask()

    def ask(self) -> bool:
        """Send the script's next request; False at its end."""
        request = next(self._rest, None)
        if request is None:
            return False
        self._begun = time.perf_counter()
        self.socket.sendall(request)
        return True

    def hear(self) -> tuple[int, int]:
        """Octets received, and the status where the answer is complete, otherwise 0."""
        data = self.socket.recv(262_144)
        if not data:
            raise RuntimeError("the server closed a connection")
        if self._missing >= 0:
            self._missing -= len(data)
        else:
            self._read_head(self._head + data)
        if self._missing:
            return len(data), 0
        self._head, self._missing = b"", -1
        return len(data), int(self._status)

    def _read_head(self, data: bytes) -> None:
        end = data.find(_END)
        if end < 0:
            self._head = data
            return
        self._status = data[9:12]
        if self._status in _WITHOUT_BODY:
            self._missing = 0
            return
        head = data[:end].lower()
        at = head.find(_LENGTH)
        if at < 0:
            raise RuntimeError(f"an answer without Content-Length: {data[:end]!r}")
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        self._missing = length - (len(data) - end - len(_END))

    def latency(self, now: float) -> float:
        return now - self._begun


def _drive(port: int, scripts: Sequence[Script], connections: int, seconds: float | None) -> Answers:
    waiting = iter(scripts) if seconds is None else cycle(scripts)
    statuses: Counter[int] = Counter()
    latencies = array("d")
    octets = 0
    poll = select.epoll()
    phones = {phone.socket.fileno(): phone for phone in (_Phone(port) for _ in range(connections))}
    for number in phones:
        poll.register(number, select.EPOLLIN)
    began, cpu = time.perf_counter(), time.process_time()
    until = began + seconds if seconds is not None else float("inf")
    busy = 0
    for phone in phones.values():
        if (script := next(waiting, None)) is not None:
            phone.play(script)
            busy += 1
    now = began
    while busy:
        events = poll.poll(_PATIENCE)
        if not events:
            raise TimeoutError(f"{busy} connections got no answer for {_PATIENCE:.0f} s")
        for number, _ in events:
            phone = phones[number]
            size, status = phone.hear()
            octets += size
            if not status:
                continue
            now = time.perf_counter()
            statuses[status] += 1
            latencies.append(phone.latency(now))
            if now < until and phone.ask():
                continue
            following = next(waiting, None) if now < until else None
            if following is None:
                busy -= 1
            else:
                phone.play(following)
    took, cpu = now - began, time.process_time() - cpu
    for phone in phones.values():
        phone.socket.close()
    poll.close()
    return Answers(took, cpu / took, dict(statuses), octets, latencies)
