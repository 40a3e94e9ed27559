"""After a campaign: every guest's phone comes for the list and then for the pass.

    python -m bench.fetch_storm [--guests 6000] [--connections 64 256]

Installations as an operator starts them, on all cores, with the load generator (and PostgreSQL) beside them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import delete, func, select

from app.db import Database, connect
from app.passes.tables import pass_evidence, wallet_pass
from bench import arguments, http_load, installations, report, usage
from bench.http_load import Answers, Generator, Script
from bench.installations import Inhabited

SETTLE_SECONDS = 3.0  # evidence of lists and 304s is written once a second
OLD_DATE = "Sat, 01 Jan 2022 00:00:00 GMT"


@dataclass(frozen=True, slots=True)
class Phase:
    """One kind of question, asked by every phone once."""

    database: str
    connections: int
    what: str
    answers: Answers
    cpu: float  # microseconds of the web processes a request
    database_cpu: float  # the same of PostgreSQL


@dataclass(frozen=True, slots=True)
class Storm:
    """All phases of one installation."""

    database: str
    phases: Sequence[Phase]
    memory: tuple[float, float]  # megabytes of all its processes before and after
    unproved: int  # bodies that a phone had while the database did not know, over all phases


def main() -> None:
    told = arguments.parser("fetch_storm")
    told.add_argument("--guests", type=arguments.number(), default=6_000, help="who fetch their card")
    told.add_argument(
        "--connections", type=arguments.number(), nargs="+", default=[64, 256], help="at once, storm by storm"
    )
    given = told.parse_args()
    signatures = raw_signatures()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        inhabited = stack.enter_context(installations.inhabited(Path(name), given.guests, history=False))
        generator = stack.enter_context(http_load.running())
        storms = [_storm(one, generator, given.connections) for one in inhabited]
    report.deliver(_report(storms, given.guests, signatures))


def raw_signatures(seconds: float = 1.0) -> float:
    """RSA-2048 signatures a second of one core."""
    key = rsa.generate_private_key(65537, 2048)
    padding, digest = PKCS1v15(), SHA256()
    count, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        key.sign(count.to_bytes(8, "big"), padding, digest)
        count += 1
    return count / (time.process_time() - began)


def _storm(inhabited: Inhabited, generator: Generator, connections: Sequence[int]) -> Storm:
    installation, world = inhabited.installation, inhabited.world
    installation.start()
    database = connect(inhabited.database_url)
    try:
        scripts = _scripts(inhabited, database)
        generator.once(installation.port, scripts["pass, 200"][:20], connections=4).expect(200)  # warm
        before = _memory(inhabited)
        phases, unproved = [], 0
        for count in connections:
            for what in scripts:
                if what in ("list, 200", "list, then pass"):
                    time.sleep(SETTLE_SECONDS)  # what was only noted is written once a second
                    _forget(database)
                phases.append(_phase(inhabited, generator, what, scripts[what], count))
                if what != "list, 200":
                    unproved += world.passes - _fetched(database)
        return Storm(inhabited.kind, phases, (before, _memory(inhabited)), unproved)
    finally:
        database.close()
        installation.stop()


def _phase(
    inhabited: Inhabited, generator: Generator, what: str, scripts: Sequence[Script], connections: int
) -> Phase:
    before = _spent(inhabited)
    answers = generator.once(inhabited.installation.port, scripts, connections=connections)
    web, database = (now - then for now, then in zip(_spent(inhabited), before, strict=True))
    answers.expect(304 if what == "pass, 304" else 200)
    per = 1e6 / answers.count
    return Phase(inhabited.kind, connections, what, answers, web * per, database * per)


def _scripts(inhabited: Inhabited, database: Database) -> dict[str, list[Script]]:
    """What every phone asks, by the kind of question; each has an older card and an older tag."""
    world, columns = inhabited.world, wallet_pass.c
    with database.read() as tx:
        modified = tx.scalars(
            select(columns.last_modified).where(columns.id >= world.first_pass).order_by(columns.id)
        ).all()
    pass_type = world.pass_type_identifier
    lists, passes, unchanged = [], [], []
    for number in range(world.passes):
        device = world.device_library_identifier(number)
        card = f"/passkit/v1/passes/{pass_type}/{world.serial_number(number)}"
        token = inhabited.authorization(number)
        lists.append(
            http_load.get(f"/passkit/v1/devices/{device}/registrations/{pass_type}?passesUpdatedSince=1")
        )
        passes.append(http_load.get(card, Authorization=token, If_Modified_Since=OLD_DATE))
        unchanged.append(
            http_load.get(
                card, Authorization=token, If_Modified_Since=format_datetime(modified[number], usegmt=True)
            )
        )
    return {
        "list, 200": [(one,) for one in lists],
        "pass, 200": [(one,) for one in passes],
        "pass, 304": [(one,) for one in unchanged],
        "list, then pass": list(zip(lists, passes, strict=True)),
    }


def _spent(inhabited: Inhabited) -> tuple[float, float]:
    web = sum(
        usage.cpu_seconds(process.pid)
        for name, process in inhabited.installation.processes.items()
        if name != "worker"
    )
    return web, usage.cpu_seconds(inhabited.server_pid) if inhabited.server_pid else 0.0


def _memory(inhabited: Inhabited) -> float:
    return sum(usage.pss(process.pid) for process in inhabited.installation.processes.values())


def _forget(database: Database) -> None:
    with database.write() as tx:
        tx.execute(delete(pass_evidence))


def _fetched(database: Database) -> int:
    """Passes whose present version is known as fetched."""
    known = pass_evidence.c
    fetched = select(func.count()).select_from(pass_evidence).join(wallet_pass)
    with database.read() as tx:
        return int(tx.scalar(fetched.where(known.fetched_version == wallet_pass.c.version)) or 0)


def _report(storms: Sequence[Storm], guests: int, signatures: float) -> report.Report:
    return report.Report(
        title="Fetch storm",
        about=(
            f"After a campaign {guests:,} phones come for their lists and their passes, each with an older"
            " card, as fast as the service answers. The service runs as an operator starts it, with default"
            " settings; it shares the machine's cores with the load generator and PostgreSQL. A full pass is"
            " built, signed and recorded as fetched before its body leaves. Raw RSA is what one core signs"
            f" with 2,048 bits and does nothing else: {signatures:,.0f}/s."
        ),
        tables=(
            report.Table(
                "At saturation, closed loop",
                (
                    "database, connections, question",
                    "answers/s",
                    "passes/s of raw RSA",
                    "CPU µs each",
                    "PostgreSQL CPU µs each",
                    "p50 ms",
                    "p95 ms",
                    "p99 ms",
                    "generator's ceiling/s",
                ),
                tuple(_row(phase, signatures) for storm in storms for phase in storm.phases),
            ),
            report.Table(
                "Memory of all processes of the service, MB PSS",
                ("database", "before", "after"),
                tuple(
                    (storm.database, *(f"{megabytes:.0f}" for megabytes in storm.memory)) for storm in storms
                ),
            ),
        ),
        figures=tuple(
            report.Figure(
                key=f"fetch_storm.{storm.database.lower()}.unproved",
                what=f"passes that left without a committed record of it, {storm.database}",
                value=storm.unproved,
                unit="",
                at_most=0,
            )
            for storm in storms
        ),
    )


def _row(phase: Phase, signatures: float) -> tuple[str, ...]:
    answers = phase.answers
    passes = {"pass, 200": answers.rate, "list, then pass": answers.rate / 2}.get(phase.what)
    return (
        f"{phase.database}, {phase.connections}, {phase.what}",
        f"{answers.rate:,.0f}",
        f"{passes / signatures:.0%}" if passes else "",
        f"{phase.cpu:,.0f}",
        f"{phase.database_cpu:,.0f}" if phase.database == "PostgreSQL" else "",
        *(f"{answers.milliseconds(share):,.1f}" for share in (0.5, 0.95, 0.99)),
        f"{answers.ceiling:,.0f}",
    )


if __name__ == "__main__":
    main()
