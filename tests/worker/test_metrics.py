"""A worker's own numbers can be read by a monitor on the same machine."""

from __future__ import annotations

import socket
from urllib.request import urlopen

from structlog.testing import capture_logs

from tests.passes.shop import TYPE
from tests.worker.conftest import Rig


def test_a_worker_serves_its_numbers_on_loopback_while_it_runs(rig: Rig, free_port: int) -> None:
    rig.promise(rig.phones(1))
    with rig.working(metrics_port=free_port):
        rig.until(lambda: rig.states() == ["accepted"])
        with urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    assert f'perkpass_pushes_total{{pass_type_identifier="{TYPE}",state="accepted"}}' in text
    assert "perkpass_push_lateness_seconds_count" in text
    with socket.socket() as again:  # the port is free
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", free_port))


def test_a_port_that_is_taken_is_told_and_stops_no_push(rig: Rig) -> None:
    rig.promise(rig.phones(1))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with capture_logs() as logs, rig.working(metrics_port=port):
            rig.until(lambda: rig.states() == ["accepted"])
    assert [line["port"] for line in logs if line["event"] == "metrics_not_served"] == [port]
