"""Where Google is: https, or this machine."""

from __future__ import annotations

import pytest

from app import addresses
from app.errors import Misconfigured
from app.google import callback_keys, client, save_link, tokens
from app.settings import Settings, load


def test_the_settings_defaults_are_google_s_addresses() -> None:
    fields = Settings.model_fields
    assert fields["google_wallet_url"].default == client.URL
    assert fields["google_token_url"].default == tokens.URL
    assert fields["google_save_url"].default == save_link.URL
    assert fields["google_callback_keys_url"].default == callback_keys.URL
    assert fields["google_timeout_seconds"].default == client.PATIENCE.exchange


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.google.com/gp/v/save",
        "http://127.0.0.1:8777/gp/v/save/",
        "http://[::1]:1/x",
        "https://a.b",
    ],
)
def test_an_address_of_a_party(url: str) -> None:
    assert addresses.party_address(url, example="https://a.example") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://pay.google.com/gp",
        "ftp://127.0.0.1/",
        "https://user:word@pay.google.com/",
        "https:///path",
        "https://pay.google.com/a?b=c",
        "https://pay.google.com/a#b",
        "https://pay.google.com/a b",
        "https://pay.google.com/\n",
        "https://кофе.рф/",
        "https://a:99999/",
        "https://[::1",
    ],
)
def test_what_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="must be like"):
        addresses.party_address(url, example="https://a.example")
    monkeypatch.setenv("PERKPASS_GOOGLE_TOKEN_URL", url)
    with pytest.raises(Misconfigured, match="PERKPASS_GOOGLE_TOKEN_URL: must be like"):
        load()
