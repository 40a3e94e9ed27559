"""The daemon of iOS that keeps passes up to date: tasks, retries, and the log it writes.

Passes change through pushes (list, then each listed pass), through a registration, or by pull-to-refresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from app.simulators.lock_screen import banner
from app.simulators.pass_service import Listing, TaskFailed, Unreachable, WebService
from app.simulators.phone_patience import Patience
from app.simulators.pkpass import InvalidPass
from app.simulators.service_log import ServiceLog

if TYPE_CHECKING:
    from app.simulators.phone import Card, Phone

GRACE_SECONDS = 300.0  # iOS does not complain about what may be a race
UNREGISTERED_GRACE_SECONDS = 3600.0


class Passd:
    """The update tasks of one phone."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._tasks: set[asyncio.Task[None]] = set()
        self._listing: dict[int, asyncio.Task[None]] = {}  # by id of the web service record
        self._again: set[int] = set()  # pushed while its list call was already on the wire
        self._in_flight: set[int] = set()
        self._sleeping = 0
        self._by_card: dict[tuple[str, str], set[asyncio.Task[None]]] = {}
        self._unregistered: dict[tuple[str, str], float] = {}
        self._log = ServiceLog(phone.requests, phone.clock, self.try_log)

    def register(self, card: Card) -> None:
        """Automatic updates are on: tell the service, then ask what changed."""
        self._start(self._register(card), card)

    def unregister(self, card: Card) -> None:
        """Deletion cancels what is pending for the pass, then tells the service."""
        for task in self._by_card.pop(card.key, set()):
            task.cancel()
        card.registered = False
        self._unregistered[card.key] = self._phone.clock.seconds()
        if card.service is not None:
            self._start(self._unregister(card), None)

    def refresh(self, card: Card) -> None:
        """Ask for one pass directly."""
        if card.service is not None:
            self._start(self._update(card, card.service, listed=False), card)

    def pushed(self, topic: str) -> None:
        """A push: every web service known for the pass type is asked what changed, patience permitting."""
        phone = self._phone
        count = sum(1 for card in phone.cards.values() if card.key[0] == topic)
        patience = phone.patience.setdefault(topic, Patience(phone.settings.thresholds))
        mood = patience.push(phone.clock.seconds(), count)
        if mood == "cut-off" and phone.settings.limit_rate:
            phone.cut_off(topic)
            return
        for service in phone.services.values():
            if service.pass_type_identifier == topic:
                self.ask_what_changed(service, pushed=True)

    def ask_what_changed(self, service: WebService, *, pushed: bool = False) -> None:
        """One list call at a time: a new wish joins the one that waits in back-off."""
        key = id(service)
        if key in self._listing:
            if key in self._in_flight:
                self._again.add(key)
            return
        task = self._start(self._list(service, pushed=pushed), None)
        self._listing[key] = task
        task.add_done_callback(lambda _: self._listed(service))

    def _listed(self, service: WebService) -> None:
        self._listing.pop(id(service), None)
        if id(service) in self._again:
            self._again.discard(id(service))
            self.ask_what_changed(service, pushed=True)

    async def _register(self, card: Card) -> None:
        service = card.service
        if service is None:
            return
        serial, token = card.key[1], card.authentication_token
        what = (
            f"Register task (for device {service.device_library_identifier}, pass type {card.key[0]}, "
            f"serial number {serial}; with web service url {service.url})"
        )
        if (
            await self._try(what, service, lambda: self._phone.requests.register(service, serial, token))
            is None
        ):
            return
        card.registered = True
        self._unregistered.pop(card.key, None)
        self._phone.show()
        had_tag = service.tag is not None
        self.ask_what_changed(service)
        if had_tag:
            await self._update(card, service, listed=False)

    async def _unregister(self, card: Card) -> None:
        service = card.service
        if service is None:
            return
        serial, token = card.key[1], card.authentication_token
        what = (
            f"Unregister task (for device {service.device_library_identifier}, pass type {card.key[0]}, "
            f"serial number {serial}; with web service url {service.url})"
        )
        await self._try(what, service, lambda: self._phone.requests.unregister(service, serial, token))

    async def _list(self, service: WebService, *, pushed: bool) -> None:
        phone, topic = self._phone, service.pass_type_identifier
        patience = phone.patience.setdefault(topic, Patience(phone.settings.thresholds))
        if pushed and phone.settings.limit_rate and (wait := patience.wait(phone.clock.seconds())):
            phone.note("waits", f"{wait:.0f} s")
            await self._sleep(wait)
        what = (
            f"Get serial #s task (for device {service.device_library_identifier}, pass type {topic}, "
            f"last updated {service.tag}; with web service url {service.url})"
        )

        async def ask() -> Listing:
            patience.last_list = phone.clock.seconds()
            self._in_flight.add(id(service))
            try:
                return await phone.requests.list_changed(service)
            finally:
                self._in_flight.discard(id(service))

        listing = await self._try(what, service, ask)
        if listing is not None:
            await self._take(service, listing, pushed=pushed)

    async def _take(self, service: WebService, listing: Listing, *, pushed: bool) -> None:
        phone, topic = self._phone, service.pass_type_identifier
        now = phone.clock.seconds()
        settled = service.tag is not None and now - service.tag_kept_at > GRACE_SECONDS
        if not listing.serial_numbers and pushed and settled:
            self._log.complain(
                service,
                f"Device received spurious push. Request for passesUpdatedSince '{service.tag}' "
                "returned no serial numbers.",
            )
        if listing.empty:
            return
        if listing.tag is None:
            self._log.complain(service, "Response to 'What changed?' request omitted a lastUpdated tag.")
        elif listing.tag == service.tag and listing.serial_numbers:
            self._log.complain(
                service,
                f"Response to 'What changed?' request included {len(listing.serial_numbers)} serial numbers "
                f"but the lastUpdated tag ({listing.tag}) remained the same.",
            )
        # The tag is kept before anything is downloaded: what fails from here on is never listed again.
        if listing.tag is not None:
            service.tag, service.tag_kept_at = listing.tag, now
        for serial in listing.serial_numbers:
            card = phone.cards.get((topic, serial))
            if card is not None and card.service is service:
                self._start(self._update(card, service, listed=True), card)
            elif now - self._unregistered.get((topic, serial), -1e12) > UNREGISTERED_GRACE_SECONDS:
                self._log.complain(service, f"Update requested for unregistered serial number {serial}.")

    async def _update(self, card: Card, service: WebService, *, listed: bool) -> None:
        phone, serial = self._phone, card.key[1]
        asked = card.last_modified
        what = (
            f"Get pass task (pass type {card.key[0]}, serial number {serial}, if-modified-since {asked}; "
            f"with web service url {service.url})"
        )
        answer = await self._try(
            what,
            service,
            lambda: phone.requests.download(service, serial, card.authentication_token, asked),
        )
        if answer is None or phone.cards.get(card.key) is not card:
            return
        unchanged = f"Server requested update to serial number '{serial}', but the pass was unchanged."
        recent = phone.clock.seconds() - card.changed_at < GRACE_SECONDS
        if answer.body is None:
            if listed and not recent:
                self._log.complain(service, unchanged)
            return
        try:
            new = phone.open(answer.body)
        except InvalidPass as fault:
            self._log.enter(service, f"{what} encountered error: Received invalid pass data ({fault})")
            return
        received = (new.pass_type_identifier, new.serial_number)
        if received != card.key:
            self._log.enter(
                service,
                f"{what} encountered error: Requested serial number {serial}, "
                f"received serial number {new.serial_number}",
            )
            return
        if answer.last_modified is None:
            self._log.complain(
                service,
                f"Response for serial number '{serial}' did not provide a 'last-modified' header.",
            )
        if new.manifest_hash == card.wallet_pass.manifest_hash:
            card.last_modified = answer.last_modified or card.last_modified
            if listed and not recent:
                self._log.complain(service, unchanged)
            elif asked is not None and not listed:
                self._log.complain(
                    service,
                    f"Server ignored the 'if-modified-since' header ({asked}) and returned the full "
                    f"unchanged pass data for serial number '{serial}'.",
                )
            return
        shown = banner(card.wallet_pass, new, phone.language, phone.clock.now())
        card.wallet_pass, card.changed_at = new, phone.clock.seconds()
        card.last_modified = answer.last_modified
        phone.note("updated", serial)
        if shown is not None:
            phone.banners.append(shown)
            del phone.banners[:-50]
        phone.show()

    def try_log(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the sending of the log beside everything else."""
        self._start(work, None)

    @property
    def log_lines(self) -> list[str]:
        """What was written into the services' logs."""
        return self._log.lines

    async def _try(self, what: str, service: WebService, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The answer (True for a plain success), or None when iOS gives up; waits longer each time."""
        for wait in (*self._phone.settings.back_off, None):
            try:
                answer = await ask()
            except TaskFailed as failure:
                self._phone.note("failed", f"{what.partition(' (')[0]}: {failure}")
                if not isinstance(failure, Unreachable):
                    self._log.enter(service, f"{what} encountered error: {failure}")
                if not failure.again:
                    return None
            else:
                return True if answer is None else answer
            if wait is not None:
                await self._sleep(wait)
        return None

    async def _sleep(self, seconds: float) -> None:
        self._sleeping += 1
        try:
            await self._phone.clock.sleep(seconds)
        finally:
            self._sleeping -= 1

    def _start(self, work: Coroutine[Any, Any, None], card: Card | None) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        owners = self._by_card.setdefault(card.key, set()) if card is not None else set()
        owners.add(task)

        def done(finished: asyncio.Task[None]) -> None:
            self._tasks.discard(finished)
            owners.discard(finished)
            if not finished.cancelled() and (error := finished.exception()):
                self._phone.note("broke", repr(error))
                finished.get_loop().call_exception_handler(
                    {"message": "a phone's task failed", "exception": error, "task": finished}
                )

        task.add_done_callback(done)
        return task

    async def settle(self, seconds: float) -> None:
        """Wait until every task is done or waits for its next try."""

        async def idle() -> None:
            while len(self._tasks) > self._sleeping:  # noqa: ASYNC110  # sleepers are not events
                await asyncio.sleep(0.01)

        await asyncio.wait_for(idle(), seconds)

    async def stop(self) -> None:
        """Cancel everything."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
