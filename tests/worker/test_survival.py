"""What a worker survives: a database that is out of order for a while, and its own mistakes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from structlog.testing import capture_logs

from app.db.identifiers import DeliveryId, DeviceId, PassTypeIdentifier
from app.delivery.promises import Claimed
from app.worker.apple import AppleChannel
from app.worker.channel import Answered, Ready, Report
from tests.passes.shop import NOW, TYPE
from tests.worker.conftest import Rig


def test_a_database_out_of_order_is_waited_out_and_nothing_is_lost(rig: Rig) -> None:
    """The answers come while no statement works; they are settled, or their rows rescued, later."""
    rig.apns.turn(answer_delay_ms=500)
    rig.promise(rig.phones(20))
    with capture_logs() as logs, rig.working(lease=timedelta(seconds=2)):
        rig.until(lambda: set(rig.states()) == {"sending"})
        with rig.database.write() as tx:
            tx.exec_driver_sql("ALTER TABLE breaker RENAME TO breaker_away")
        rig.until(lambda: any(line["event"].startswith("database_") for line in logs))
        time.sleep(1)
        with rig.database.write() as tx:
            tx.exec_driver_sql("ALTER TABLE breaker_away RENAME TO breaker")
        rig.until(lambda: set(rig.states()) == {"accepted"})
    assert not any(line["event"] == "cycle_failed" for line in logs)


def test_a_channel_that_fails_costs_a_retry_and_not_the_worker(rig: Rig) -> None:
    class Clumsy(AppleChannel):
        """Loses the first batch."""

        failed = False

        async def send(self, ready: Sequence[Ready], report: Report) -> None:
            if not self.failed:
                self.failed = True
                raise ZeroDivisionError
            await super().send(ready, report)

    channel = Clumsy(rig.pems, url=rig.apns.url, ca=rig.authority.root)
    rig.promise(rig.phones(3))
    with capture_logs() as logs, rig.working(channel):
        rig.until(lambda: rig.states() == ["accepted"] * 3)
    assert [line["unanswered"] for line in logs if line["event"] == "send_failed"] == [3]
    assert {tried.reason for tried in rig.attempts() if tried.verdict == "lost"} == {"NoAnswer"}


def test_renewed_credentials_are_taken_up_without_a_restart(rig: Rig) -> None:
    asked: list[str] = []

    def pems(pass_type: PassTypeIdentifier) -> tuple[bytes, bytes]:
        asked.append(pass_type)
        certificate, key = rig.pems(pass_type)
        return certificate + b"\n" * len(asked), key  # another file each time

    async def renew() -> list[Answered]:
        channel = AppleChannel(
            pems, url=rig.apns.url, ca=rig.authority.root, push_timeout=timedelta(seconds=1)
        )
        claimed = Claimed(DeliveryId(1), DeviceId(1), TYPE, "receipt", 1, NOW, None)
        heard: list[Answered] = []
        await channel.send([Ready(claimed, "0" * 64, 1, 1, NOW)], heard.extend)
        await channel.refresh()
        await channel.send([Ready(claimed, "0" * 64, 1, 1, NOW)], heard.extend)
        await channel.close()
        return heard

    assert [answer.signal for answer in asyncio.run(renew())] == ["proof", "proof"]
    assert asked == [TYPE] * 3
    connections = rig.apns.ask(lambda simulator: simulator.statistics.connections)
    assert connections >= 2
