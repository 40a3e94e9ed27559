"""``perkpass simulate sms``: SMSC.ru, Twilio and an SMPP centre on this machine, and a file of logins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from app.simulators.smpp import SmppSettings, SmppSimulator
from app.simulators.sms_gateways import SmsSettings, SmsSimulator
from app.sms import logins

_FILE = """\
# Logins of the simulated gateways, for PERKPASS_SMS_FILE. Written by `perkpass simulate sms`.

[logins.smsc]
gateway = "smsc"
url = "http://127.0.0.1:{port}"
sender = "KOFE"
rate = 20.0
burst = 20
receipts_secret = "{settings.smsc_secret}"
low_balance = 100000
secrets = {{ login = "{settings.smsc_login}", password = "{settings.smsc_password}" }}
prices = [{{ prefix = "+", amount = {settings.smsc_price}, currency = "RUB" }}]

[logins.twilio]
gateway = "twilio"
url = "http://127.0.0.1:{port}"
sender = "+15550006666"
rate = 20.0
burst = 20
low_balance = 1000
secrets = {{ account_sid = "{settings.account_sid}", auth_token = "{settings.auth_token}" }}
prices = [{{ prefix = "+", amount = {settings.twilio_price}, currency = "USD" }}]

[logins.smpp]
gateway = "smpp"
url = "smpp://127.0.0.1:{smpp_port}"
sender = "KOFE"
rate = 20.0
burst = 20
secrets = {{ system_id = "perkpass", password = "sandbox" }}
prices = [{{ prefix = "+", amount = {centre.price}, currency = "RUB" }}]
"""
_BRAND = """
[brands.{slug}]
login = "{login}"
countries = ["RU", "KZ", "BY"]
codes_a_day = 500
budget_a_day = 1000000
"""


@click.command()
@click.option("--port", default=8446, show_default=True, help="of SMSC.ru and Twilio")
@click.option("--control-port", default=8447, show_default=True, help="their failure knobs and their log")
@click.option("--smpp-port", default=8448, show_default=True, help="of the SMPP centre")
@click.option("--smpp-control-port", default=8449, show_default=True, help="its failure knobs and its log")
@click.option(
    "--service",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="where receipts go: PERKPASS_PUBLIC_URL of the service",
)
@click.option("--brand", "brands", multiple=True, help="a brand that sends by a gateway; may be repeated")
@click.option(
    "--login", type=click.Choice(["smsc", "twilio", "smpp"]), default="smsc", show_default=True, help="theirs"
)
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".sandbox/sms.toml"),
    show_default=True,
    help="the file of logins that is written",
)
def sms(
    port: int,
    control_port: int,
    smpp_port: int,
    smpp_control_port: int,
    service: str,
    brands: tuple[str, ...],
    login: str,
    path: Path,
) -> None:
    """Text gateways: SMSC.ru and Twilio over HTTP, and a centre that speaks SMPP 3.4."""
    defaults, centre = SmsSettings(), SmppSettings(port=smpp_port, control_port=smpp_control_port)
    content = _FILE.format(port=port, smpp_port=smpp_port, settings=defaults, centre=centre)
    write_logins(path, content + "".join(_BRAND.format(slug=slug, login=login) for slug in brands))
    receipts = f"{service.rstrip('/')}/sms/receipts"
    book = logins.read(path)
    settings = SmsSettings(
        port=port,
        control_port=control_port,
        smsc_receipts=logins.receipts_address(book.logins["smsc"], f"{receipts}/smsc") or "",
        twilio_incoming=logins.receipts_address(book.logins["twilio"], f"{receipts}/twilio") or "",
    )
    try:
        asyncio.run(_serve(SmsSimulator(settings), SmppSimulator(centre), path.resolve()))
    except KeyboardInterrupt:
        click.echo("Stopped.")


def write_logins(path: Path, content: str) -> None:
    """Write a file of logins that nobody else may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(content, encoding="utf-8")


async def _serve(gateways: SmsSimulator, centre: SmppSimulator, path: Path) -> None:
    await gateways.start()
    try:
        await centre.start()
        try:
            click.echo(f"PERKPASS_SMS_FILE={path}")
            click.echo(f"SMSC.ru and Twilio: {gateways.url}")
            click.echo(f"SMPP centre: {centre.url}")
            for control in (gateways.control_url, centre.control_url):
                click.echo(f"Failure knobs and log: {control}/faults, {control}/texts")
            await asyncio.Event().wait()
        finally:
            await centre.stop()
    finally:
        await gateways.stop()
