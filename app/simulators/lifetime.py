"""How a simulator runs: in a thread of its own for synchronous callers, or until it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar


class Simulator(Protocol):
    """What is started and stopped in one event loop."""

    async def start(self) -> None: ...  # noqa: D102
    async def stop(self) -> None: ...  # noqa: D102


_S = TypeVar("_S", bound=Simulator)


@contextmanager
def in_thread(simulator: Simulator, *, name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """Started in a loop of its own, which is yielded; stopped with all its tasks when the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(30)
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_stop_all(simulator), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


async def until_cancelled(simulator: _S, ready: Callable[[_S], None] | None) -> None:
    """Run; ``ready`` is told when the ports accept and the addresses are known."""
    await simulator.start()
    try:
        if ready:
            ready(simulator)
        await asyncio.Event().wait()
    finally:
        await simulator.stop()


async def _stop_all(simulator: Simulator) -> None:
    await simulator.stop()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.05)  # TLS transports of aborted connections close in the next turns of the loop
