"""What Google tells an issuer when a guest saves or deletes a card: best effort, a few tries, no promises."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser
from uuid import uuid4

import httpx

from app.simulators.google_signing import Signer
from app.simulators.google_state import State

Event = Literal["save", "del"]
_AGENT = "Googlebot"
_LIFE = 3600  # seconds a message is valid; Google's own value is told nowhere


@dataclass(slots=True)
class Callback:
    """One message, and how each try to tell it ended."""

    event: Event
    object_id: str
    url: str
    nonce: str
    spoil: str
    statuses: list[int] = field(default_factory=list)  # 0: no answer; -1: robots.txt forbids the address
    body: bytes = b""


class Messenger:
    """Sends callbacks. Lives in one event loop."""

    def __init__(self, state: State, signer: Signer) -> None:
        self.state, self.signer = state, signer
        self.sent: deque[Callback] = deque(maxlen=10_000)
        self._held: list[Callback] = []  # they wait to be overtaken
        self._tasks: set[asyncio.Task[None]] = set()

    def tell(self, event: Event, object_id: str) -> None:
        """Somebody saved or deleted a card: send as the knobs say. Returns at once."""
        faults = self.state.faults
        url = self._url(object_id)
        if not url or faults.no_callbacks:
            return
        callback = self._made(event, object_id, url, faults.spoil_callbacks)
        if faults.swap_callbacks and not self._held:
            self._held.append(callback)
            return
        for each in [callback, *self._held]:
            self._start(each)
        self._held.clear()

    async def tell_now(self, event: Event, object_id: str, spoil: str = "", url: str = "") -> Callback:
        """One callback, one try, whatever became of the card; raises ValueError without an address."""
        target = url or self._url(object_id)
        if not target:
            raise ValueError(f"{object_id}: neither its class nor its issuer names an address for callbacks")
        callback = self._made(event, object_id, target, spoil)
        self.sent.append(callback)
        await self._try(callback)
        return callback

    async def settled(self) -> None:
        """Until every callback was heard or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Drop what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _url(self, object_id: str) -> str:
        resources = self.state.resources
        classes = resources.classes.get(resources.objects.get(object_id, {}).get("classId", ""), {})
        issuer = self.state.accounts.issuers.get(object_id.partition(".")[0])
        for options in (classes.get("callbackOptions"), issuer and issuer.properties.get("callbackOptions")):
            if options and options.get("url"):
                return str(options["url"])
        return ""

    def _made(self, event: Event, object_id: str, url: str, spoil: str) -> Callback:
        callback = Callback(event, object_id, url, str(uuid4()), spoil)
        issuer, _, suffix = object_id.partition(".")
        class_id = self.state.resources.objects.get(object_id, {}).get("classId", f"{issuer}.unknown")
        if spoil == "other_issuer":
            issuer = str(int(issuer) + 1)
            object_id, class_id = f"{issuer}.{suffix}", f"{issuer}.{class_id.partition('.')[2]}"
        now = self.state.clock()
        message = {
            "classId": class_id,
            "objectId": object_id,
            "eventType": event,
            "expTimeMillis": round((now + _LIFE) * 1000),
            "count": 1,
            "nonce": callback.nonce,
        }
        callback.body = self.signer.envelope(issuer, message, now, spoil)
        return callback

    def _start(self, callback: Callback) -> None:
        self.sent.append(callback)
        task = asyncio.create_task(self._deliver(callback))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, callback: Callback) -> None:
        faults = self.state.faults
        for _ in range(1 + faults.duplicate_callbacks):
            for number in range(faults.callback_tries):
                await asyncio.sleep(faults.callback_delay_ms / 1000 * (1 + number))
                await self._try(callback)
                if 200 <= callback.statuses[-1] < 300 or callback.statuses[-1] == -1:
                    break

    async def _try(self, callback: Callback) -> None:
        # Only this machine is ever called, where nothing is TLS: no authorities need loading.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=10) as client:
            try:
                callback.statuses.append(await self._post(client, callback))
            except httpx.HTTPError:
                callback.statuses.append(0)

    @staticmethod
    async def _post(client: httpx.AsyncClient, callback: Callback) -> int:
        """[D] CallbackOptions.url: robots.txt must let Googlebot reach the path."""
        if urlsplit(callback.url).hostname not in {"127.0.0.1", "localhost"}:
            return 0
        robots = await client.get(urljoin(callback.url, "/robots.txt"))
        if robots.status_code == 200:
            rules = RobotFileParser()
            rules.parse(robots.text.splitlines())
            if not rules.can_fetch(_AGENT, callback.url):
                return -1
        headers = {"content-type": "application/json", "user-agent": "Googlebot/2.1"}
        return (await client.post(callback.url, content=callback.body, headers=headers)).status_code
