"""What ``perkpass demo`` says while the town lives."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from app.simulators.town import Shop

_STAMP_CARD = Path(__file__).parents[2] / "pass_templates" / "stamp_card"


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the demo keeps its files, its ports, how many guests it has and how fast they come (seconds)."""

    directory: Path
    port: int
    page_port: int
    population: int
    pace: float

    @property
    def url(self) -> str:
        """Of the service."""
        return f"http://127.0.0.1:{self.port}"


def say(kind: str, text: str) -> None:
    """One line of what happens in the town."""
    words = {
        "installed": "card added ",
        "saved": "card saved ",
        "receipt": "receipt    ",
        "failed": "FAILED     ",
    }
    click.echo(f"  {words[kind]} {text}")


def invite(plan: Plan, page: str, shops: tuple[Shop, ...], console: str) -> None:
    """Where to look, and what to try."""
    link = shops[0].install_link
    perkpass = shlex.quote(str(Path(sys.executable).with_name("perkpass")))
    click.echo(
        f"""
Open     {page}   an iPhone and its guest's Android phone: card, back, lock screen; choose others on the page
         {console}
                  the console: choose a password, look at guests, designs, venues and where guests are lost
                  (two weeks of earlier guests come in while you do)
         {link}   what the QR on the table opens; here on a computer it hands over to a phone
         {link}/poster.pdf   what hangs on the wall (as poster.svg too; /qr.svg: the code alone)
         {plan.url}/api/docs   the till's API

Try      ring up receipts on the phones' page: balance, level and lock screen, in both wallets;
         Google notifies three times a day, and is silent from the fourth on
         switch the phone's network off, ring up twice, switch it on again
         open a table's link as Android would: the button saves the card at Google's stand-in
         remove the card; add another guest by opening the install page yourself, and go on to its web card
         in another window, with the demo's data:
           export PERKPASS_DATA_DIR={shlex.quote(str(plan.directory / "data"))} PERKPASS_PUBLIC_URL={plan.url}
           # how far guests came
           {perkpass} places funnel pechka --by placement
           # which offers there are; "offer grant pechka WELCOME --card", with the number on a card, gives one
           {perkpass} offer list pechka
           # a print for each table
           {perkpass} poster pechka/nevsky --for table --size tent --anyway --out tables.pdf
           # what the linter says of a template
           {perkpass} template check {shlex.quote(str(_STAMP_CARD))}

Raised for the demo: the service's push budget and the phones' thresholds, since nobody waits two hours here;
the phones accept http, as iPhones do only with a developer's switch.
The service writes to {plan.directory / "service.log"}. Ctrl-C ends it.
"""
    )
