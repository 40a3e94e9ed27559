"""Running gateways, and adapters that speak to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.simulators.sms_gateways import RunningSms, SmsSettings, running
from tests.sms.accounts import KEY_OF_RECEIPTS
from tests.sms.ears import Ear, listening


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Where gateways call back to."""
    with listening() as heard:
        yield heard


@pytest.fixture
def sms(ear: Ear) -> Iterator[RunningSms]:
    """SMSC.ru and Twilio, which call back to ``ear`` at once."""
    settings = SmsSettings(
        smsc_receipts=f"{ear.url}/sms/receipts/main?charset=utf-8&key={KEY_OF_RECEIPTS}",
        twilio_incoming=f"{ear.url}/sms/receipts/abroad",
    )
    with running(settings) as simulator:
        simulator.turn(receipt_delay_ms=0)
        yield simulator
