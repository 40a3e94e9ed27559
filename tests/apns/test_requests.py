from __future__ import annotations

from urllib.parse import unquote

import pytest
from hpack import Decoder
from hypothesis import given, settings
from hypothesis import strategies as st

from app.apns.requests import Push, RequestEncoder, integer, path_of

APNS_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def encoder() -> RequestEncoder:
    return RequestEncoder(authority="api.push.apple.com", topic="pass.example.kofe")


def fields(decoder: Decoder, block: bytes) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in decoder.decode(block)]


def block(made_by: RequestEncoder, token: str = "ab" * 32, **changes: object) -> bytes:
    path = path_of(token)
    assert path is not None
    arguments: dict[str, object] = {
        "apns_id": APNS_ID,
        "expiration": 1_800_000_000,
        "priority": 10,
        "push_type": None,
        "authorization": None,
    }
    return made_by.block(path, **(arguments | changes))  # type: ignore[arg-type]


def expected(token: str = "ab" * 32) -> list[tuple[str, str]]:
    return [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "api.push.apple.com"),
        (":path", f"/3/device/{token}"),
        ("apns-topic", "pass.example.kofe"),
        ("apns-expiration", "1800000000"),
        ("apns-priority", "10"),
        ("apns-id", APNS_ID),
    ]


def test_every_request_of_a_connection_says_the_same_and_the_later_ones_are_shorter() -> None:
    made_by, decoder = encoder(), Decoder()
    blocks = [block(made_by) for _ in range(3)]
    assert [fields(decoder, made) for made in blocks] == [expected()] * 3
    assert len(blocks[1]) == len(blocks[2]) < len(blocks[0]) - 40


@settings(deadline=None)
@given(st.lists(st.sampled_from([0, 1, 60, 100, 119, 120, 121, 200, 4096, 65536]), max_size=6), st.data())
def test_the_server_may_change_its_table_at_any_time(sizes: list[int], data: st.DataObject) -> None:
    made_by, decoder = encoder(), Decoder()
    for size in sizes:
        made_by.resize(size)
        decoder.max_allowed_table_size = size
        for _ in range(data.draw(st.integers(0, 2))):
            assert fields(decoder, block(made_by)) == expected()
    assert fields(decoder, block(made_by)) == expected()


def test_push_type_and_sign_in_travel_when_they_are_asked_for() -> None:
    made = fields(Decoder(), block(encoder(), push_type="background", priority=5, authorization="bearer x"))
    assert ("apns-push-type", "background") in made
    assert ("apns-priority", "5") in made
    assert ("authorization", "bearer x") in made
    assert "apns-id" not in dict(fields(Decoder(), block(encoder(), apns_id=None)))


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60).filter(lambda token: token.strip(".") != ""))
def test_no_push_token_leaves_its_place_in_the_path(token: str) -> None:
    path = path_of(token)
    assert path is not None
    folder, _, last = path.decode("ascii").rpartition("/")
    assert folder == "/3/device"
    assert unquote(last, errors="replace") == token.encode(errors="replace").decode()


@pytest.mark.parametrize("token", ["", ".", "..", "a" * 4_097, "ж" * 1_000])
def test_what_cannot_be_a_push_token_has_no_path(token: str) -> None:
    assert path_of(token) is None


@settings(deadline=None)
@given(st.integers(0, 2**20), st.integers(4, 7))
def test_integers_are_those_of_rfc_7541(value: int, prefix_bits: int) -> None:
    from hpack.hpack import decode_integer

    encoded = integer(value, prefix_bits)
    assert decode_integer(encoded, prefix_bits) == (value, len(encoded))


@pytest.mark.parametrize(
    "arguments", [{"apns_id": "1"}, {"apns_id": APNS_ID + "\r\n"}, {"push_type": "a b"}, {"push_type": ""}]
)
def test_what_cannot_be_a_header_is_refused_where_it_is_written(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Push("ab", **arguments)  # type: ignore[arg-type]


def test_a_topic_that_cannot_be_a_header_is_refused() -> None:
    with pytest.raises(ValueError):
        RequestEncoder(authority="api.push.apple.com", topic="pass.кофе")
