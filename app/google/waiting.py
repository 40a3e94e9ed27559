"""Google Wallet for threads that wait: the same client, in an event loop of its own.

A page that shows a save link inserts the object first, and must answer soon whatever Google does: the thread
waits as long as it was told to, however long a name's look-up or a slow answer lasts beside.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

from app.google.answers import Answer, Verdict
from app.google.calls import Call
from app.google.client import GoogleWallet


class WaitingWallet:
    """One account's client, for any number of threads of this process; starts its loop when first used."""

    def __init__(self, wallet: GoogleWallet) -> None:
        """``wallet`` belongs to the loop here from now on."""
        self._wallet = wallet
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def send(self, call: Call, *, within: timedelta) -> Answer:
        """Make one call and wait ``within`` for its answer; ``lost`` where it did not come by then."""
        patience = within.total_seconds()
        begun = asyncio.run_coroutine_threadsafe(
            self._wallet.send(call, leave_by=time.monotonic() + patience), self._running()
        )
        try:
            return begun.result(patience)
        except TimeoutError:
            begun.cancel()
            return Answer(verdict=Verdict.LOST, reason="no-answer", words=f"no answer within {patience:g} s")

    def close(self) -> None:
        """Close connections and end the loop; nobody may send any more."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop and thread:
            asyncio.run_coroutine_threadsafe(self._wallet.close(), loop).result(5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name="google-wallet", daemon=True
                )
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        loop.close()
