"""Reads for the hot path, on connections that stay open between requests.

Checking a connection out, beginning, rolling back and checking it in cost more than the question itself. A
kept connection is in autocommit: each statement is a transaction of its own, so nothing stays open between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from app.db import Database, Tx
from app.db.failures import NO_DATABASE

Answer = TypeVar("Answer")


class Reader:
    """Asks the database one question at a time from any number of threads."""

    def __init__(self, database: Database, *, most_kept: int) -> None:
        """Opens nothing yet. Who works with N threads keeps N; the rest of the pool is for writers."""
        self._database, self._most_kept = database, most_kept
        self._idle: deque[tuple[ExitStack, Tx]] = deque()

    def read(self, ask: Callable[[Tx], Answer]) -> Answer:
        """The answer of ``ask``. It must not write: it is asked again where the connection was dead.

        Raises one of :data:`app.db.failures.NO_DATABASE` where a new connection does not help either.
        """
        try:
            return self._ask(ask)
        except NO_DATABASE:
            self.close()  # the server was restarted: the others are dead as well
            return self._ask(ask)

    def close(self) -> None:
        """Give back every connection that is not in use."""
        while self._idle:
            try:
                stack, _ = self._idle.pop()
            except IndexError:
                return
            stack.close()

    def _ask(self, ask: Callable[[Tx], Answer]) -> Answer:
        try:
            stack, tx = self._idle.pop()
        except IndexError:
            stack = ExitStack()
            tx = stack.enter_context(self._database.autocommit())
        try:
            answer = ask(tx)
        except BaseException:
            stack.close()
            raise
        if len(self._idle) < self._most_kept:
            self._idle.append((stack, tx))
        else:
            stack.close()
        return answer
