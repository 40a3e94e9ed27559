"""One connection of a push sender: requests judged by :mod:`.apns_rules`, spoilt by :mod:`.apns_faults`."""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import dataclass, field
from typing import cast

from cryptography import x509
from cryptography.x509.oid import NameOID
from h2.errors import ErrorCodes
from hyperframe.frame import GoAwayFrame

from app.simulators import apns_rules as rules
from app.simulators.apns_faults import Faults, error_body
from app.simulators.apns_post import Post
from app.simulators.apns_tokens import TokenDesk
from app.simulators.apns_wire import Headers, Request, Wire, WireError

_IDLE_FLUSH_SECONDS = 0.2  # a connection that said GOAWAY lingers so long after its last answer
_NO_SIGN_IN = rules.Answer(403, "MissingProviderToken")


@dataclass(slots=True)
class Statistics:
    """Counts over all connections since the start."""

    connections: int = 0
    open_connections: int = 0
    requests: int = 0
    goaways: int = 0
    resets: int = 0
    drops: int = 0
    protocol_errors: list[str] = field(default_factory=list)


class SenderConnection(asyncio.Protocol):
    """Reads requests, asks the rules and the faults, writes answers: one write per read."""

    def __init__(
        self,
        wire: Wire,
        post: Post,
        faults: Faults,
        desk: TokenDesk | None,
        statistics: Statistics,
        connections: set[SenderConnection],
        luck: random.Random,
    ) -> None:
        """All arguments but ``wire`` are shared by every connection of the simulator."""
        self._post, self._faults, self._desk = post, faults, desk
        self._statistics, self._connections, self._luck = statistics, connections, luck
        self._wire = wire
        self._certificate_topic: str | None = None
        self._seen = 0
        self._last_stream: int | None = None  # set once GOAWAY was said
        self._waiting = 0
        self._announced = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Announce ourselves; who calls is read from the certificate."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._statistics.connections += 1
        self._statistics.open_connections += 1
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        if tls.selected_alpn_protocol() != "h2":
            self._transport.abort()
            return
        if certificate := tls.getpeercert(binary_form=True):
            uids = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.USER_ID)
            self._certificate_topic = str(uids[0].value) if uids else ""
        # Apple lets a sender without a certificate open one stream until its first token was accepted.
        self._announced = 1 if self._certificate_topic is None else self._faults.max_concurrent_streams
        self._wire.open(self._announced)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        """Forget everything about it."""
        self._connections.discard(self)
        self._statistics.open_connections -= 1

    def data_received(self, data: bytes) -> None:
        """Take what came, answer what is complete."""
        try:
            for request in self._wire.receive(data):
                self._take(request)
        except WireError as error:
            self._statistics.protocol_errors.append(str(error))
            self._wire.ended = True
        self._flush()
        if self._wire.ended:
            self._transport.close()

    def announce_streams(self, limit: int) -> None:
        """SETTINGS_MAX_CONCURRENT_STREAMS changes while the connection lives."""
        if limit != self._announced and not self._transport.is_closing():
            self._announced = limit
            self._wire.allow(limit)
            self._flush()

    def go_away(self, *, last_stream: int | None = None, reason: str = "Shutdown") -> None:
        """Say GOAWAY; streams up to ``last_stream`` (default: all so far) are still answered."""
        if self._last_stream is not None:
            return
        self._last_stream = self._wire.highest_stream if last_stream is None else last_stream
        self._statistics.goaways += 1
        self._flush()
        # Written past the wire: the h2 library would refuse to answer streams that are owed an answer.
        frame = GoAwayFrame(0, self._last_stream, ErrorCodes.NO_ERROR, b'{"reason":"%s"}' % reason.encode())
        self._transport.write(frame.serialize())
        self._linger()

    def drop(self) -> None:
        """Break the TCP connection without a word."""
        self._transport.abort()

    def _linger(self) -> None:
        if self._waiting == 0:
            asyncio.get_running_loop().call_later(_IDLE_FLUSH_SECONDS, self._transport.close)

    def _flush(self) -> None:
        if data := self._wire.output():
            self._transport.write(data)

    def _take(self, request: Request) -> None:
        stream = request.stream
        if self._last_stream is not None and stream > self._last_stream:
            return
        faults, statistics = self._faults, self._statistics
        if faults.drop_after is not None and self._seen >= faults.drop_after:
            statistics.drops += 1
            self._transport.abort()
            return
        if faults.goaway_after is not None and self._seen >= faults.goaway_after:
            self.go_away(
                last_stream=max(0, stream - 2 * (1 + faults.goaway_unprocessed)), reason=faults.goaway_reason
            )
            return
        self._seen += 1
        statistics.requests += 1
        if faults.reset_rate and self._luck.random() < faults.reset_rate:
            statistics.resets += 1
            self._wire.refuse(stream)
            return
        if faults.silent:
            return
        if faults.answer_delay_ms:
            self._waiting += 1
            asyncio.get_running_loop().call_later(faults.answer_delay_ms / 1000, self._answer_late, request)
        else:
            self._answer(request)

    def _answer_late(self, request: Request) -> None:
        self._waiting -= 1
        if self._transport.is_closing():
            return
        if self._last_stream is None or request.stream <= self._last_stream:
            self._answer(request)
            self._flush()
        if self._last_stream is not None:
            self._linger()

    def _judge(self, request: Request, identifier: str) -> tuple[rules.Answer, rules.Push | None]:
        headers = rules.read(request.headers)
        if isinstance(headers, rules.Answer):
            return headers, None
        topics: frozenset[str] | None = None
        if self._certificate_topic is None:
            key = self._desk.judge(headers.get(b"authorization")) if self._desk else _NO_SIGN_IN
            if isinstance(key, rules.Answer):
                return key, None
            topics = key.topics
            self.announce_streams(self._faults.max_concurrent_streams)
        push = rules.judge_headers(headers, certificate_topic=self._certificate_topic, identifier=identifier)
        if isinstance(push, rules.Answer):
            return push, None
        if topics is not None and push.topic not in topics:
            return rules.Answer(400, "TopicDisallowed"), push
        if override := self._faults.override(push.token):
            return override, push
        answer = rules.judge_token(push, self._post.directory)
        if answer.status == 200:
            answer = rules.judge_body(request.body)
        return answer, push

    def _answer(self, request: Request) -> None:
        drawn = f"{self._luck.getrandbits(128):032x}"
        identifier = f"{drawn[:8]}-{drawn[8:12]}-{drawn[12:16]}-{drawn[16:20]}-{drawn[20:]}"
        answer, push = self._judge(request, identifier)
        if push:
            self._post.settle(push, answer)
            identifier = push.identifier
        else:
            self._post.count_refusal(answer)
            identifier = rules.identifier_of(request.headers) or identifier
        body = error_body(answer, self._faults.error_bodies)
        headers: Headers = [(b":status", b"%d" % answer.status), (b"apns-id", identifier.encode())]
        if answer.status != 200:
            headers.append((b"content-type", b"application/json"))
        if answer.retry_after is not None:
            headers.append((b"retry-after", b"%d" % answer.retry_after))
        self._wire.answer(request.stream, headers, body)
