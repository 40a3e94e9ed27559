"""How much of the machine's RSA rate building a pass keeps.

    python -m bench.pass_build [--rounds 60] [--seconds 0.05]

One thread on one core, warm, in short interleaved rounds.
Every contestant makes the default card in two languages from content to signed bytes: two messages and three
venues, and once more the fullest card, five messages and ten venues, by us alone. Every one is verified with
openssl. Nothing is linted and no database is asked.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import statistics
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.passes import bundle, content, signing
from app.simulators.authority import Authority
from bench import arguments, card, pass_builders, report

BAR = 85  # percent
RAW, OURS = "raw RSA-2048 signature", "perkpass build()"


def perkpass(prepared: bundle.PreparedDesign, guest: content.PassContent) -> Callable[[int], bytes]:
    guests = [replace(guest, balance=balance) for balance in range(64)]
    return lambda n: bundle.build(guests[n % 64], card.IDENTITY, prepared, signing_time=card.NOW)


def raw_rsa(credentials: Path) -> Callable[[int], bytes]:
    key = load_pem_private_key((credentials / "key.pem").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    padding, digest = PKCS1v15(), SHA256()
    return lambda n: key.sign(n.to_bytes(8, "big"), padding, digest)


def cpu() -> float:
    """Seconds of processor, children included: what a neighbour takes away does not count."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


def run(make: Callable[[int], bytes], seconds: float) -> float:
    """Operations per second of processor."""
    count, begun = 0, cpu()
    while (spent := cpu() - begun) < seconds:
        for _ in range(8):
            make(count)
            count += 1
    return count / spent


def fastest(rates: list[float]) -> float:
    return statistics.quantiles(rates, n=10)[-1]


def verify(made: bytes, root: Path, directory: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        archive.extractall(directory)
        for name, digest in json.loads(archive.read("manifest.json")).items():
            assert hashlib.sha1(archive.read(name)).hexdigest() == digest, name
    subprocess.run(
        ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-CAfile", str(root),
         "-in", str(directory / "signature"), "-content", str(directory / "manifest.json"),
         "-out", "/dev/null"],
        check=True, capture_output=True,
    )  # fmt: skip


def main() -> None:
    told = arguments.parser("pass_build")
    told.add_argument("--rounds", type=arguments.number(), default=60, help="of all contestants")
    told.add_argument("--seconds", type=arguments.seconds, default=0.05, help="per contestant and round")
    given = told.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        authority = Authority.create(place / "authority", now=card.NOW)
        credentials = authority.pass_credentials(
            place / "credentials",
            pass_type_identifier=card.PASS_TYPE,
            team_identifier=card.TEAM,
            organization="Bench",
        )
        signer = signing.load_signer(
            f"file:{credentials}",
            pass_type_identifier=card.PASS_TYPE,
            team_identifier=card.TEAM,
            now=card.NOW,
        )
        prepared = bundle.prepare(card.design(), signer, web_service_url=card.SERVICE)
        sample = perkpass(prepared, card.USUAL)(125_050)
        with zipfile.ZipFile(io.BytesIO(sample)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        contestants = {
            RAW: raw_rsa(credentials),
            OURS: perkpass(prepared, card.USUAL),
            f"{OURS}, fullest card": perkpass(prepared, card.FULLEST),
            **dict(pass_builders.installed(files, credentials)),
        }
        for number, make in enumerate(list(contestants.values())[1:]):
            verify(make(1), authority.root, place / f"bundle{number}")
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(given.rounds):
            for name, make in contestants.items():
                rates[name].append(run(make, given.seconds))
    report.deliver(_report(rates, sample, files, given.rounds))


def _report(
    rates: dict[str, list[float]], sample: bytes, files: dict[str, bytes], rounds: int
) -> report.Report:
    # A busy neighbour can only slow a round down, so the fastest tenth tells what a contestant can do.
    best = {name: fastest(measured) for name, measured in rates.items()}
    return report.Report(
        title="Building a pass",
        about=(
            "From content to signed bytes on one thread, warm, against the raw RSA-2048 signature that no"
            " builder can do without. The default card in two languages, with two messages and three venues"
            f" ({len(sample):,} bytes, of which pass.json {len(files['pass.json']):,}); the fullest has five"
            " messages and ten venues. Every contestant's pass was verified with openssl. Rates are per"
            f" second of processor, the fastest tenth of {rounds} interleaved rounds."
        ),
        tables=(
            report.Table(
                "One core",
                ("builder", "passes per CPU second", "CPU µs each", "of raw RSA"),
                tuple(
                    (name, f"{rate:,.0f}", f"{1e6 / rate:,.0f}", f"{rate / best[RAW]:.1%}")
                    for name, rate in best.items()
                ),
            ),
        ),
        figures=(
            report.Figure(
                key="pass_build.usual",
                what="passes built per second of processor",
                value=best[OURS] / best[RAW] * 100,
                unit="% of raw RSA",
                at_least=BAR,
            ),
        ),
        notes=(pass_builders.ABSENT,),
    )


if __name__ == "__main__":
    main()
