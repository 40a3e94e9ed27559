"""An installation as an operator starts it: processes, HTTP and TLS; nobody here reads its database."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from app.simulators.apns import RunningApns
from app.simulators.authority import Authority
from tests import processes, servers

ROOT = Path(__file__).parents[2]
CHAIN = ROOT / "docs" / "chain.example.toml"
TEAM = "A1B2C3D4E5"
_T = TypeVar("_T")
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # tills here speak http: no list of authorities to read


@dataclass
class Installation:
    """One installation with its chain loaded; :meth:`start` and :meth:`stop` may alternate."""

    directory: Path
    authority: Authority
    apns: RunningApns
    database_url: str  # empty: embedded SQLite in the data directory
    redis_url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=servers.free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    _links: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def embedded(self) -> bool:
        return not self.database_url

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PERKPASS_")}
        return inherited | {
            "PERKPASS_DATA_DIR": str(self.directory / "data"),
            "PERKPASS_DATABASE_URL": self.database_url,
            "PERKPASS_REDIS_URL": self.redis_url,
            "PERKPASS_PUBLIC_URL": self.url,
            "PERKPASS_PORT": str(self.port),
            "PERKPASS_APNS_URL": self.apns.url,
            "PERKPASS_APNS_CA": str(self.authority.root),
            "PERKPASS_LOG_FORMAT": "json",
            # The stories are told fast; what a phone's patience allows has stories of its own.
            "PERKPASS_PUSH_COALESCE_SECONDS": "0.3",
            "PERKPASS_PUSH_BUDGET_RECEIPT": "1000",
            "PERKPASS_PUSH_LEASE_SECONDS": "4",
            **self.settings,
        }

    def perkpass(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        done = processes.perkpass(*arguments, environment=self.environment)
        if check and done.returncode:
            raise AssertionError(f"perkpass {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def load_chain(self) -> None:
        """The example chain, with certificates of our own authority."""
        chain = CHAIN.read_text(encoding="utf-8")
        pass_types = re.findall(r'^pass_type_identifier = "([^"]+)"', chain, re.MULTILINE)
        folders = re.findall(r'^credentials = "file:\.\./certs/([^"]+)"', chain, re.MULTILINE)
        for pass_type, folder in zip(pass_types, folders, strict=True):
            self.authority.pass_credentials(
                self.directory / "certs" / folder,
                pass_type_identifier=pass_type, team_identifier=TEAM, organization=folder,
            )  # fmt: skip
        file = self.directory / "chain.toml"
        file.write_text(chain.replace("file:../certs/", "file:certs/"), encoding="utf-8")
        if not self.embedded:
            self.perkpass("migrate")
        keys_file = self.directory / "keys.jsonl"
        self.perkpass("chain", "load", str(file), "--keys-file", str(keys_file))
        for line in keys_file.read_text(encoding="utf-8").splitlines():
            key = json.loads(line)
            self.keys[key["venue"], key["name"]] = key["secret"]

    def links(self, brand: str = "pechka") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.perkpass("link", "list", brand, "--json").stdout)
        return found

    def link(self, venue: str = "nevsky", placement: str | None = "table 1", brand: str = "pechka") -> str:
        """The address that a venue's QR code holds; asked for once, as codes that hang on walls stay."""
        if brand not in self._links:
            self._links[brand] = self.links(brand)
        return next(
            str(link["url"])
            for link in self._links[brand]
            if link["venue"] == venue and link["placement"] == placement and not link["staff_member"]
        )

    def start(self) -> None:
        """The one command of one machine, or web and worker apart."""
        if self.embedded:
            self._spawn("run", "run")
        else:
            self._spawn("web", "web")
            self._spawn("worker", "worker")
        self.wait_ready()

    def _spawn(self, name: str, *arguments: str) -> None:
        log = (self.directory / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "app", *arguments],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def wait_ready(self) -> None:
        def ready() -> bool:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended: {self.log(name)[-2000:]}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        until(ready, seconds=120, what="readiness")

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError(f"{name} did not stop: {self.log(name)[-2000:]}") from None
        self.processes.clear()

    def worker_pid(self) -> int:
        """Of the worker process, also of the one beside the web."""
        if "worker" in self.processes:
            return self.processes["worker"].pid
        children = subprocess.run(
            ["pgrep", "-P", str(self.processes["run"].pid), "-f", "app worker"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(children.stdout.split()[0])

    def web_pid(self) -> int:
        """The process that serves requests, below the one that watches it; 0 while there is none."""
        parent = self.processes.get("web") or self.processes["run"]
        children = subprocess.run(
            ["pgrep", "-a", "-P", str(parent.pid)], capture_output=True, text=True, check=False
        ).stdout
        serving = [
            int(line.split()[0])
            for line in children.splitlines()
            if "app worker" not in line and "resource_tracker" not in line
        ]
        return serving[0] if serving else 0

    def kill_worker(self) -> None:
        """SIGKILL; the companion of `perkpass run` is restarted by itself, a worker of its own by us."""
        os.kill(self.worker_pid(), signal.SIGKILL)
        if "worker" in self.processes:
            self.processes.pop("worker").wait(10)

    def restart_worker(self) -> None:
        if not self.embedded:
            self._spawn("worker", "worker")

    def log(self, name: str | None = None) -> str:
        names = [name] if name else ["run", "web", "worker"]
        files = [self.directory / f"{one}.log" for one in names]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    # The till

    def call(
        self,
        path: str,
        body: dict[str, Any],
        *,
        venue: str = "nevsky",
        till: str = "till 1",
        key: str | None = None,
    ) -> httpx.Response:
        return httpx.post(
            f"{self.url}/api/v1/{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {self.keys[venue, till]}",
                "Idempotency-Key": key or uuid.uuid4().hex,
            },
            timeout=30,
            verify=_NO_TLS,
        )

    def ring_up(self, card: str, amount: int, **more: Any) -> dict[str, Any]:
        """A receipt of ``amount`` minor units for the guest with this card code; the API's answer."""
        answer = self.call(
            "receipts",
            {
                "card": card,
                "number": uuid.uuid4().hex[:12],
                "amount": amount,
                "currency": "RUB",
                "at": datetime.now(UTC).isoformat(),
            },
            **more,
        )
        assert answer.status_code in (200, 201), answer.text
        document: dict[str, Any] = answer.json()
        return document


def until(condition: Callable[[], _T], *, seconds: float = 20, what: str = "it") -> _T:
    """Wait for ``condition`` to be true, and give what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


@contextmanager
def running(installation: Installation) -> Iterator[Installation]:
    """Loaded, started, and stopped at the end."""
    installation.load_chain()
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


def yesterday() -> datetime:
    """When our authority was made: certificates must be valid already."""
    return datetime.now(UTC) - timedelta(days=1)
