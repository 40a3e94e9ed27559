"""A guest's Chrome on Android: opens a link, fills the form it finds, taps the button for Google Wallet.

The button leads over the service to a page of Google's; there the guest, signed in at Google, saves the card.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

import httpx

from app.simulators.guest_browser import LANGUAGES, Guest, InstallFailed, Page, filled, load_resources

ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
_LOOKS = 40
_PAUSE = 0.5


async def save_card(client: httpx.AsyncClient, link: str, guest: Guest, account: str) -> None:
    """Walk from an install link, or from a card's own page, to the card saved for this Google account.

    Until Google has the card its page shows no button: it is looked at again, as the page's script does.
    Raises :class:`InstallFailed` where the way ends before, and httpx's errors where nobody answers.
    """
    headers = {"user-agent": ANDROID, "accept-language": LANGUAGES[guest.language]}
    answer = await client.get(link, headers=headers, follow_redirects=True)
    for _ in range(_LOOKS):
        page, here = Page(answer.text), str(answer.url)
        if answer.status_code != 200:
            raise InstallFailed(f"{here}: {answer.status_code}: {page.text()[:300]}")
        await load_resources(client, page, here, headers)
        if button := next((link for link in page.links if "Google" in link.words), None):
            await _save(client, urljoin(here, button.href), account, headers)
            return
        if form := next((form for form in page.forms if form.method == "post"), None):
            told = filled(form, guest)
            answer = await client.post(
                urljoin(here, form.action), data=told, headers=headers, follow_redirects=True
            )
        else:
            await asyncio.sleep(_PAUSE)
            answer = await client.get(here, headers=headers, follow_redirects=True)
    raise InstallFailed(f"{answer.url}: no button for Google Wallet appeared")


async def _save(client: httpx.AsyncClient, link: str, account: str, headers: dict[str, str]) -> None:
    """Google's page, with this account."""
    answer = await client.get(link, headers=headers, follow_redirects=True)
    if answer.status_code == 200:
        answer = await client.post(answer.url, data={"user": account, "save": "1"}, headers=headers)
    if answer.status_code != 200:
        raise InstallFailed(f"{answer.url}: {answer.status_code}: {Page(answer.text).text()[:300]}")
