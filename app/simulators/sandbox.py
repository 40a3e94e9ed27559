"""Ready-made runs of the simulators for the command line: one phone, or a whole town, with their page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.simulators.guest_browser import Guest
from app.simulators.phone import Phone, PhoneSettings
from app.simulators.phone_page import PhonePage
from app.simulators.town import Said, Town, TownSettings

Ready = Callable[[str], None]  # told the page's address once it answers


async def serve_phone(
    settings: PhoneSettings,
    *,
    guest: Guest,
    link: str = "",
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Ready | None = None,
) -> None:
    """One phone until cancelled; with ``link`` it installs the card of that install link first.

    Raises what :meth:`Phone.install_from_page` raises, and OSError where the port is taken.
    """
    phone = Phone(guest.name, settings)
    page = PhonePage([phone])
    try:
        address = await page.start(host, port)
        await phone.start()
        if link:
            await phone.install_from_page(link, guest)
        if ready is not None:
            ready(address)
        await asyncio.Event().wait()
    finally:
        await page.stop()
        await phone.stop()


async def serve_town(
    settings: TownSettings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Ready | None = None,
    said: Said | None = None,
) -> None:
    """A town until cancelled; ``ready`` comes before the first guest, so that they can be watched.

    Raises OSError where the port is taken. What goes wrong for one guest is told to ``said`` as "failed".
    """
    town = Town(settings, said=said)
    page = PhonePage(town.phones, ring=town.ring_for_page, androids=town.androids)
    try:
        address = await page.start(host, port)
        if ready is not None:
            ready(address)
        await town.run()
    finally:
        await page.stop()
        await town.stop()
