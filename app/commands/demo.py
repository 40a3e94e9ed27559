"""``perkpass demo``: the whole loop on this machine, with simulators in place of Apple, Google and a town."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import httpx

from app.commands import demo_past
from app.commands.demo_words import Plan, invite, say
from app.commands.processes import require_free_port
from app.errors import Misconfigured, Unavailable
from app.simulators.apns import ApnsSimulator, settings_for
from app.simulators.authority import Authority
from app.simulators.google_accounts import new_service_account
from app.simulators.google_server import ISSUER, GoogleSettings, GoogleSimulator
from app.simulators.phone import PhoneSettings
from app.simulators.phone_patience import Thresholds
from app.simulators.sandbox import serve_town
from app.simulators.town import Shop, TownSettings, shops_from_json

_CHAIN = Path(__file__).parents[2] / "docs" / "chain.example.toml"
_PATIENT = Thresholds(mild=1e6, moderate=1e6, severe=1e6, cut_off=1e6)


@click.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path(".demo"), show_default=True)
@click.option("--port", default=8000, show_default=True, help="of the service")
@click.option("--page-port", default=8001, show_default=True, help="of the page that shows a phone")
@click.option("--phones", default=30, show_default=True, type=click.IntRange(1, 200))
@click.option("--pace", default=1.0, show_default=True, help="seconds from one guest to the next")
def demo(directory: Path, port: int, page_port: int, phones: int, pace: float) -> None:
    """Two brands, six venues, thirty phones, a till. An earlier demo in DIRECTORY is deleted."""
    plan = Plan(directory.resolve(), port, page_port, phones, pace)
    for option, wanted in (("--port", port), ("--page-port", page_port)):
        require_free_port("127.0.0.1", wanted, advice=f"Choose another {option}.")
    _clear(plan.directory)
    click.echo("Making certificates of our own authority, a database, two brands and six venues …")
    authority = Authority.create(plan.directory / "authority", now=datetime.now(UTC) - timedelta(days=1))
    _stop_on_signals()
    try:
        asyncio.run(_live(plan, authority))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("The demo is over.")


def _stop_on_signals() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _clear(directory: Path) -> None:
    mark = directory / "perkpass-demo"
    if directory.exists() and any(directory.iterdir()) and not mark.exists():
        raise Misconfigured(
            f"{directory} is not empty and not of an earlier demo: choose another --directory"
        )
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    mark.touch()


async def _live(plan: Plan, authority: Authority) -> None:
    apns = ApnsSimulator(settings_for(authority, plan.directory / "apns"))
    await apns.start()
    google = GoogleSimulator(GoogleSettings())
    await google.start()
    environment = _environment(plan, authority, apns.url) | _google(plan, google)
    shops = await asyncio.to_thread(_load_chain, plan, authority, environment)
    console = json.loads(_perkpass(environment, "user", "invite", "--json"))["link"]
    for number in range(demo_past.MOST_PHONES):
        apns.post.know(demo_past.token(number), None)
    with _service(plan, environment) as process:
        await _ready(plan, process)
        past = _started(plan, environment, "app.commands.demo_past")
        try:
            await serve_town(
                _town(plan, authority, apns, google, shops),
                port=plan.page_port,
                ready=lambda page: invite(plan, page, shops, console),
                said=say,
            )
        finally:
            _end(past)
            await google.stop()
            await apns.stop()


def _environment(plan: Plan, authority: Authority, apns_url: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PERKPASS_")} | {
        "PERKPASS_DATA_DIR": str(plan.directory / "data"),
        "PERKPASS_PUBLIC_URL": plan.url,
        "PERKPASS_PORT": str(plan.port),
        "PERKPASS_APNS_URL": apns_url,
        "PERKPASS_APNS_CA": str(authority.root),
        "PERKPASS_LOG_LEVEL": "warning",
        "PERKPASS_LOG_FORMAT": "console",
        # A person at a demo rings up more in a minute than a guest in a month.
        "PERKPASS_PUSH_COALESCE_SECONDS": "1",
        "PERKPASS_PUSH_BUDGET_RECEIPT": "1000",
        "PERKPASS_RETAG_MINUTES": "1",
    }


def _google(plan: Plan, google: GoogleSimulator) -> dict[str, str]:
    """Settings that lead to the simulator, and beside them the service account that it knows."""
    account = new_service_account(f"{google.url}/token")
    google.register(account)
    file = _google_key(plan)
    file.touch(mode=0o600)
    file.write_text(json.dumps(account), encoding="utf-8")
    return {
        "PERKPASS_GOOGLE_WALLET_URL": google.url,
        "PERKPASS_GOOGLE_TOKEN_URL": f"{google.url}/token",
        "PERKPASS_GOOGLE_SAVE_URL": google.links.address,
        "PERKPASS_GOOGLE_CALLBACK_KEYS_URL": f"{google.url}/gp/m/issuer/keys",
    }


def _google_key(plan: Plan) -> Path:
    return plan.directory / "google.json"


def _load_chain(plan: Plan, authority: Authority, environment: dict[str, str]) -> tuple[Shop, ...]:
    chain = _CHAIN.read_text(encoding="utf-8")
    brands = re.findall(r'pass_type_identifier = "([^"]+)"\s+team_identifier = "([^"]+)"', chain)
    folders = re.findall(r'^credentials = "file:\.\./certs/([^"]+)"', chain, re.MULTILINE)
    for (pass_type, team), folder in zip(brands, folders, strict=True):
        authority.pass_credentials(
            plan.directory / "certs" / folder,
            pass_type_identifier=pass_type,
            team_identifier=team,
            organization=folder,
        )
    file = plan.directory / "chain.toml"
    file.write_text(chain.replace("file:../certs/", "file:certs/"), encoding="utf-8")
    keys_file = plan.directory / "keys.jsonl"
    _perkpass(environment, "chain", "load", str(file), "--keys-file", str(keys_file))
    welcome = ("--name-ru", "Скидка 10 % новым гостям", "--name-en", "10 % off for newcomers")
    first_day = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}"
    _perkpass(
        environment, "offer", "create", folders[0], demo_past.WELCOME, *welcome, "--percent", "10",
        "--from", first_day,
    )  # fmt: skip
    tills: dict[tuple[str, str], str] = {}
    for line in keys_file.read_text(encoding="utf-8").splitlines():
        key = json.loads(line)
        tills.setdefault((key["brand"], key["venue"]), key["secret"])
    shops = []
    for folder in folders:
        at_google = ("--issuer", ISSUER, "--credentials", f"file:{_google_key(plan)}")
        _perkpass(environment, "brand", "google", "set", folder, *at_google)
        links = json.loads(_perkpass(environment, "link", "list", folder, "--json"))
        entries = {link["venue"]: link["url"] for link in reversed(links) if link["placement"]}
        shops += [
            {"install_link": url, "venue": venue, "key": tills[folder, venue]}
            for venue, url in sorted(entries.items())
        ]
    return shops_from_json(shops)


def _perkpass(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "app", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Misconfigured(f"perkpass {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def _service(plan: Plan, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = _started(plan, environment, "app", "run")
    try:
        yield process
    finally:
        _end(process)


def _started(plan: Plan, environment: dict[str, str], *module: str) -> subprocess.Popen[bytes]:
    with (plan.directory / "service.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *module],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is ours: phones go first, then the service
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()


async def _ready(plan: Plan, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    async with httpx.AsyncClient() as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if (await client.get(f"{plan.url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise Unavailable(f"The service did not start; see {plan.directory / 'service.log'}")


def _town(
    plan: Plan,
    authority: Authority,
    apns: ApnsSimulator,
    google: GoogleSimulator,
    shops: tuple[Shop, ...],
) -> TownSettings:
    return TownSettings(
        base_url=plan.url,
        shops=shops,
        phones=PhoneSettings(
            root=authority.root,
            push_service=apns.control_url,
            allow_http=True,
            thresholds=_PATIENT,
        ),
        population=plan.population,
        install_pause=plan.pace,
        receipt_pause=4 * plan.pace,
        google=google,
    )
