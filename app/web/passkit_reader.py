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
_MOST_KEPT = 4  # as many as a web process has threads; the rest of the pool is for writers


class Reader:
    """Asks the database one question at a time from any number of threads."""

    def __init__(self, database: Database) -> None:
        """Opens nothing yet."""
        self._database = database
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
        if len(self._idle) < _MOST_KEPT:
            self._idle.append((stack, tx))
        else:
            stack.close()
        return answer
