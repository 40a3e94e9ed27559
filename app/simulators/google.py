"""A Google Wallet simulator in a thread of its own, for synchronous callers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from app.simulators.google_callbacks import Callback, Event
from app.simulators.google_faults import Faults
from app.simulators.google_notices import Notice
from app.simulators.google_save_page import GUEST
from app.simulators.google_server import ISSUER, GoogleSettings, GoogleSimulator
from app.simulators.google_state import SeenCall
from app.simulators.lifetime import in_thread

__all__ = ["GUEST", "ISSUER", "GoogleSettings", "RunningGoogle", "running"]
_T = TypeVar("_T")


class RunningGoogle:
    """The handle. Use :func:`running`."""

    def __init__(self, simulator: GoogleSimulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator, self._loop = simulator, loop
        self.url = simulator.url
        self.token_url = f"{self.url}/token"
        self.save_url = simulator.links.address  # without the slash before the JWT
        self.callback_keys_url = f"{self.url}/gp/m/issuer/keys"

    def ask(self, question: Callable[[GoogleSimulator], _T]) -> _T:
        """Evaluate ``question`` in the simulator's thread."""

        async def inside() -> _T:
            return question(self._simulator)

        return self._run(inside())

    def service_account(self, *issuers: str, name: str = "perkpass", project: str = "kofe") -> dict[str, Any]:
        """The JSON file of a new service account that may write for ``issuers`` (none named: all)."""
        return self.ask(lambda simulator: simulator.new_service_account(*issuers, name=name, project=project))

    def write_service_account(self, path: Path, *issuers: str) -> Path:
        """The same as a file that nobody else may read."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.service_account(*issuers), indent=2), encoding="utf-8")
        return path

    def turn(self, **knobs: object) -> None:
        """Set knobs of :class:`~app.simulators.google_faults.Faults` by name."""
        self.ask(lambda simulator: simulator.state.faults.turn(knobs))

    def save(self, object_id: str, user: str = GUEST) -> None:
        """A guest holds this card from now on, and the issuer is told; raises Refused where there is none."""
        self.ask(lambda simulator: simulator.page.hold(object_id, user))

    def remove(self, object_id: str, user: str = GUEST) -> None:
        """The guest deletes the card, and the issuer is told; raises Refused where it is not held."""
        self.ask(lambda simulator: simulator.page.remove(object_id, user))

    def tap(self, jwt: str, user: str = GUEST) -> list[str]:
        """A guest taps a save link's button; the objects saved. Raises Refused with the fault."""

        async def inside() -> list[str]:
            page = self._simulator.page
            page.save(link := await page.judged(jwt), user)
            return link.objects

        return self._run(inside())

    def call_back(self, event: Event, object_id: str, *, spoil: str = "", url: str = "") -> Callback:
        """Tell the issuer once, spoilt or not; the callback with the status of its answer."""
        return self._run(self._simulator.messenger.tell_now(event, object_id, spoil, url))

    def settled(self) -> None:
        """Wait until every callback was heard or given up."""
        self._run(self._simulator.messenger.settled())

    def age(self, seconds: float) -> None:
        """Let every notification be so much longer ago."""
        self.ask(lambda simulator: simulator.state.notices.age(seconds))

    def classes(self) -> dict[str, dict[str, Any]]:
        """Every class by its id, as it stands."""
        return self.ask(lambda simulator: dict(simulator.state.resources.classes))

    def objects(self) -> dict[str, dict[str, Any]]:
        """Every object by its id, as it stands, with ``hasUsers``."""
        return self.ask(
            lambda simulator: {
                identifier: simulator.state.resources.shown("object", body)
                for identifier, body in simulator.state.resources.objects.items()
            }
        )

    def notices(self, object_id: str | None = None) -> list[Notice]:
        """The notifications ledger, of one card or all."""
        return self.ask(
            lambda simulator: [
                each for each in simulator.state.notices.all if object_id in {None, each.target}
            ]
        )

    def calls(self) -> list[SeenCall]:
        """The calls to the interface so far."""
        return self.ask(lambda simulator: list(simulator.state.calls))

    def busiest_second(self) -> int:
        """How many calls the fullest second held so far."""
        return self.ask(lambda simulator: simulator.state.bucket.busiest_second())

    def callbacks(self) -> list[Callback]:
        """What was told to issuers so far."""
        return self.ask(lambda simulator: list(simulator.messenger.sent))

    def lints(self) -> list[str]:
        """What was accepted with a frown so far."""
        return self.ask(lambda simulator: list(simulator.state.lints))

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@contextmanager
def running(
    settings: GoogleSettings | None = None,
    *,
    faults: Faults | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[RunningGoogle]:
    """The simulator in a thread, until the block ends; ``clock`` gives UNIX seconds."""
    simulator = GoogleSimulator(settings or GoogleSettings(), faults=faults, clock=clock)
    with in_thread(simulator, name="google-simulator") as loop:
        yield RunningGoogle(simulator, loop)
