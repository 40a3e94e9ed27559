"""Callbacks as the simulator signs them, whose code shares nothing with ours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.google.callback_keys import CallbackKeys
from app.google.callbacks import CallbackRefused, Event, Fault, verify
from app.simulators.google import ISSUER, RunningGoogle
from tests.google.serving import serving
from tests.google.test_client import CARD, google, prepare, using

__all__ = ["google"]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        ("", None),
        ("non_ascii", None),
        ("signature", Fault.SIGNATURE),
        ("tampered", Fault.SIGNATURE),
        ("recipient", Fault.SIGNATURE),
        ("expired_message", Fault.EXPIRED),
        ("expired_intermediate", Fault.INTERMEDIATE_EXPIRED),
        ("expired_root", Fault.INTERMEDIATE),
        ("other_protocol_root", Fault.INTERMEDIATE),
        ("unknown_root", Fault.INTERMEDIATE),
        ("protocol", Fault.PROTOCOL),
        ("other_issuer", Fault.OTHER_ISSUER),
    ],
)
def test_every_spoilt_callback_is_refused_for_what_is_wrong_with_it(
    google: RunningGoogle, spoil: str, fault: Fault | None
) -> None:
    using(google, prepare)
    with serving() as server:
        google.call_back("del", CARD, spoil=spoil, url=f"{server.url}/google/callbacks")
        google.settled()
        body = server.heard[-1]  # before it Google reads robots.txt
    now = datetime.now(UTC)
    keys = CallbackKeys(url=google.callback_keys_url).roots(now)
    assert keys
    if fault is None:
        said = verify(body, roots=keys, issuers={ISSUER}, now=now)
        assert (said.event, said.object_id) == (Event.DELETE, CARD)
        return
    with pytest.raises(CallbackRefused) as raised:
        verify(body, roots=keys, issuers={ISSUER}, now=now)
    assert raised.value.fault == fault
