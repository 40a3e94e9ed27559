"""Wiring of text messages: the file of logins in, gateways and the worker's channel out.

Everything is imported where it is needed: who sends no texts need not keep the gateways' clients in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.settings import Settings

if TYPE_CHECKING:
    from app.sms.book import SmsBook
    from app.sms.gateway import Gateway
    from app.worker.text_channel import TextChannel


def read_book(settings: Settings) -> SmsBook | None:
    """Logins and brands of the file that the settings name, if any; raises :class:`Misconfigured`."""
    if settings.sms_file is None:
        return None
    from app.sms import logins

    return logins.read(settings.sms_file)


def receipts_url(settings: Settings, login: str) -> str:
    """Where the gateway of a login reaches us."""
    return f"{settings.public_url.rstrip('/')}/sms/receipts/{login}"


def open_gateways(settings: Settings, book: SmsBook | None) -> dict[str, Gateway]:
    """A gateway for every login, asked nothing yet; raises :class:`Misconfigured`."""
    if book is None:
        return {}
    from app.sms import logins

    return {
        name: logins.open_gateway(login, receipts_url=receipts_url(settings, name))
        for name, login in book.logins.items()
    }


def channel(settings: Settings) -> TextChannel | None:
    """What a worker's texts leave by; None where there is no file of logins."""
    book = read_book(settings)
    if book is None:
        return None
    from app.delivery.quiet_hours import QuietHours
    from app.worker.text_channel import TextChannel
    from app.worker.text_parcels import TextingBrand, TextLogin

    gateways = open_gateways(settings, book)
    return TextChannel(
        {
            name: TextLogin(
                gateway=gateways[name], rate=login.rate, burst=login.burst, low_balance=login.low_balance
            )
            for name, login in book.logins.items()
        },
        brands={
            slug: TextingBrand(login=known.login, quiet=QuietHours(known.quiet_from, known.quiet_until))
            for slug, known in book.brands.items()
        },
    )
