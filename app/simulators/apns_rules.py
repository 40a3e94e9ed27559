"""What Apple's push service says to a request: header, topic, token and body rules, as a pure function.

Sources: Apple, "Sending notification requests to APNs" (headers, sizes) and "Handling notification responses
from APNs" (status codes and reasons). Checks run in the order in which a caller can see them: path, headers,
topic, token, body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

MAXIMUM_PAYLOAD = 4096
PUSH_TYPES = frozenset(
    (b"alert", b"background", b"complication", b"controls", b"fileprovider", b"liveactivity", b"location",
     b"mdm", b"pushtotalk", b"voip", b"widgets")
)  # fmt: skip
PRIORITIES = frozenset((b"10", b"5", b"1"))
_PREFIX = b"/3/device/"
_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TOKEN = re.compile(rb"[0-9a-fA-F]{64,512}")
_TOPIC = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with Apple's reason; 200 has none. ``timestamp``: milliseconds since 1970, with 410 only."""

    status: int
    reason: str = ""
    timestamp: int | None = None
    retry_after: int | None = None  # seconds; Apple documents none, gateways in between send it

    def body(self) -> bytes:
        """Apple's JSON; empty for success."""
        if self.status == 200:
            return b""
        document: dict[str, object] = {"reason": self.reason}
        if self.timestamp is not None:
            document["timestamp"] = self.timestamp
        return json.dumps(document).encode()


@dataclass(frozen=True, slots=True)
class Gone:
    """A token that no device answers to any more."""

    reason: str  # "Unregistered" or "ExpiredToken"
    at: datetime

    def answer(self) -> Answer:
        """410 with the moment since which Apple knows."""
        return Answer(410, self.reason, int(self.at.timestamp() * 1000))


@dataclass(frozen=True, slots=True)
class Directory:
    """The tokens that Apple knows. Held by reference: the owner of the mappings changes them."""

    known: Mapping[str, set[str]]  # token: the topics it was made for (empty: any)
    gone: Mapping[str, Gone]
    known_only: bool  # whether a well-formed token that is not in ``known`` is a BadDeviceToken


@dataclass(frozen=True, slots=True)
class Push:
    """A request that passed every rule but those of the sender."""

    token: str
    topic: str
    identifier: str
    expiration: int | None  # UNIX seconds; 0: try once; None: Apple's own choice
    priority: int


OK = Answer(200)
_PATH = Answer(404, "BadPath")
_METHOD = Answer(405, "MethodNotAllowed")
_NO_TOKEN = Answer(400, "MissingDeviceToken")
_BAD_TOKEN = Answer(400, "BadDeviceToken")


def read(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes] | Answer:
    """The headers by name, or the refusal of a name that came twice."""
    by_name = dict(headers)
    if len(by_name) != len(headers):
        return Answer(400, "DuplicateHeaders")
    return by_name


def identifier_of(headers: list[tuple[bytes, bytes]]) -> str | None:
    """The well-formed apns-id of a request, echoed with every answer, a refusal too."""
    given = dict(headers).get(b"apns-id")
    return given.decode() if given is not None and _UUID.fullmatch(given) else None


def judge_headers(
    headers: dict[bytes, bytes], *, certificate_topic: str | None, identifier: str
) -> Push | Answer:
    """The push that ``headers`` ask for, or why Apple refuses.

    ``certificate_topic`` is the UID of the client certificate (None: signed in by token); ``identifier`` is
    used where the request names none. A certificate for one topic makes apns-topic optional, a token never.
    """
    if headers[b":method"] != b"POST":
        return _METHOD
    path = headers[b":path"]
    if not path.startswith(_PREFIX):
        return _PATH
    given = headers.get(b"apns-id")
    if given is not None:
        if not _UUID.fullmatch(given):
            return Answer(400, "BadMessageId")
        identifier = given.decode()
    expiration = headers.get(b"apns-expiration")
    if expiration is not None and not expiration.isdigit():
        return Answer(400, "BadExpirationDate")
    priority = headers.get(b"apns-priority", b"10")
    push_type = headers.get(b"apns-push-type")
    if push_type is not None and push_type not in PUSH_TYPES:
        return Answer(400, "InvalidPushType")
    # Apple: "Specifying priority 10 for a background notification is an error".
    if priority not in PRIORITIES or (push_type == b"background" and headers.get(b"apns-priority") == b"10"):
        return Answer(400, "BadPriority")
    if len(headers.get(b"apns-collapse-id", b"")) > 64:
        return Answer(400, "BadCollapseId")
    topic = _topic(headers.get(b"apns-topic"), certificate_topic)
    if isinstance(topic, Answer):
        return topic
    token = path[len(_PREFIX) :]
    if not token:
        return _NO_TOKEN
    if not _TOKEN.fullmatch(token):
        return _BAD_TOKEN
    return Push(
        token.decode().lower(),
        topic,
        identifier,
        int(expiration) if expiration is not None else None,
        int(priority),
    )


def _topic(asked: bytes | None, certificate_topic: str | None) -> str | Answer:
    if asked is None:
        return certificate_topic or Answer(400, "MissingTopic")
    if not _TOPIC.fullmatch(asked):
        return Answer(400, "BadTopic")
    topic = asked.decode()
    if certificate_topic is not None and topic != certificate_topic:
        return Answer(400, "TopicDisallowed")
    return topic


def judge_token(push: Push, directory: Directory) -> Answer:
    """Whether the token exists, is still somebody's, and was made for the topic."""
    if gone := directory.gone.get(push.token):
        return gone.answer()
    topics = directory.known.get(push.token)
    if topics is None:
        return _BAD_TOKEN if directory.known_only else OK
    if topics and push.topic not in topics:
        return Answer(400, "DeviceTokenNotForTopic")
    return OK


def judge_body(body: bytes) -> Answer:
    """Size and form of the payload."""
    if body == b"{}":
        return OK
    if not body:
        return Answer(400, "PayloadEmpty")
    if len(body) > MAXIMUM_PAYLOAD:
        return Answer(413, "PayloadTooLarge")
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    # Apple's table has no reason of its own for a body that is not a JSON dictionary.
    return OK if isinstance(document, dict) else Answer(400, "PayloadEmpty")
