"""Texts leave over SMPP, and receipts come back over the same connection."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadInput, Misconfigured
from app.simulators import smpp_wire
from app.simulators.authority import Authority
from app.simulators.smpp import SmppSettings
from app.sms import encoding, smpp_pdus
from app.sms.gateway import (
    Callback,
    NotOurs,
    OutcomeUnknown,
    ReceiptState,
    Unreachable,
    Verdict,
)
from app.sms.smpp_session import Patience
from tests.sms.smpp_stage import IMPATIENCE, NUMBER, Stage, gateway_at, login, outgoing, play

LONG = "Скидка двадцать процентов на кофе с собой до конца недели. " * 3
BRACES = "{" * 100


def test_a_text_arrives_and_its_receipt_names_it() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(7, "Код 123456", validity=timedelta(minutes=5)))
        assert (answer.verdict, answer.parts) == (Verdict.ACCEPTED, 1)
        await stage.until(lambda: bool(stage.receipts))
        (receipt,) = stage.receipts
        assert receipt.state is ReceiptState.DELIVERED
        assert (receipt.provider_id, receipt.reference) == (answer.provider_id, 7)
        assert receipt.reason == "DELIVRD"
        (part,) = stage.centre.log.parts
        assert (part.submitted.number, part.submitted.sender) == (NUMBER, "Kofe")
        assert (part.submitted.text, part.submitted.validity) == ("Код 123456", "000000000500000R")

    play(scenario)


@pytest.mark.parametrize("text", ["Hi @ £5 {ok} €", LONG, BRACES, "🙂" * 40, "a" * 160, "a" * 161, "ы" * 70])
def test_every_letter_arrives_in_as_many_parts_as_were_counted(text: str) -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(text=text))
        assert answer.verdict is Verdict.ACCEPTED
        assert answer.parts == encoding.measure(text).parts == len(stage.centre.log.parts)
        assert [each.text for each in stage.centre.log.texts()] == [text]

    play(scenario, listening=False)


_LETTERS = st.one_of(
    st.sampled_from("abc €{}@£Σ"), st.characters(exclude_categories=["Cs"], exclude_characters="\x1b\0")
)


@given(st.text(_LETTERS, min_size=1, max_size=400), st.integers(1, 2**31 - 1))
@settings(max_examples=40)
def test_what_is_packed_is_what_a_strict_centre_reads(text: str, reference: int) -> None:
    packed = smpp_pdus.parts(outgoing(reference, text), sender="Kofe")
    read = [smpp_wire.submitted(part.pdu()[16:]) for part in packed]
    assert "".join(part.text for part in read) == text
    assert len(read) == encoding.measure(text).parts
    assert [(part.part, part.parts) for part in read] == [(n, len(read)) for n in range(1, len(read) + 1)]


@pytest.mark.parametrize(
    ("sender", "seen"),
    [("Kofe", "Kofe"), ("2020", "2020"), ("+79031112233", "+79031112233"), ("79031112233", "+79031112233")],
)
def test_a_sender_is_a_name_a_short_code_or_a_number(sender: str, seen: str) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.gateway.send(outgoing(sender=sender))
        assert stage.centre.log.parts[0].submitted.sender == seen

    play(scenario, listening=False)


@pytest.mark.parametrize("sender", ["Кофе", "TwelveLetter", "1234567890123456"])
def test_a_sender_that_no_phone_could_show_is_refused_before_it_leaves(sender: str) -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(sender=sender))
        assert answer.verdict is Verdict.REFUSED
        assert "UnfitSender" in answer.reason
        assert stage.centre.log.parts == []

    play(scenario, listening=False)


def test_a_text_of_nothing_is_the_callers_mistake() -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(BadInput):
            await stage.gateway.send(outgoing(text=""))

    play(scenario, listening=False)


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        (0x58, Verdict.RETRY, "ESME_RTHROTTLED"),
        (0x14, Verdict.RETRY, "ESME_RMSGQFUL"),
        (0x08, Verdict.RETRY, "ESME_RSYSERR"),
        (0x0B, Verdict.REFUSED, "ESME_RINVDSTADR"),
        (0x45, Verdict.REFUSED, "ESME_RSUBMITFAIL"),
        (0x0404, Verdict.REFUSED, "0x00000404"),  # a vendor's own
        (0x0D, Verdict.STOPPED, "ESME_RBINDFAIL"),
    ],
)
def test_an_answer_is_one_verdict_and_the_connection_goes_on(
    status: int, verdict: Verdict, reason: str
) -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(1))
        assert (answer.verdict, answer.reason, answer.status) == (verdict, reason, status)
        assert (answer.retry_after is not None) == (status in (0x58, 0x14))
        assert (await stage.gateway.send(outgoing(2))).verdict is Verdict.ACCEPTED
        assert stage.centre.log.binds.total() == 1

    play(scenario, next_answers=[status])


def test_a_generic_nack_is_an_answer() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing())
        assert (answer.verdict, answer.reason) == (Verdict.RETRY, "ESME_RSYSERR")

    play(scenario, nack=1)


def test_throttling_holds_nothing_back_but_what_is_too_much() -> None:
    async def scenario(stage: Stage) -> None:
        answers = await asyncio.gather(*(stage.gateway.send(outgoing(n)) for n in range(1, 41)))
        accepted = [answer for answer in answers if answer.verdict is Verdict.ACCEPTED]
        throttled = [answer for answer in answers if answer.verdict is Verdict.RETRY]
        assert {answer.status for answer in throttled} == {0x58}
        assert len(accepted) + len(throttled) == 40
        assert len(stage.centre.log.texts()) == len(accepted) >= 5

    play(scenario, listening=False, rate=5)


def test_no_more_answers_are_missing_than_the_window_allows() -> None:
    async def scenario(stage: Stage) -> None:
        sending = [asyncio.create_task(stage.gateway.send(outgoing(n))) for n in range(1, 8)]
        await stage.until(lambda: len(stage.centre.log.parts) == 3)
        await asyncio.sleep(0.03)
        assert len(stage.centre.log.parts) == 3
        stage.centre.faults.answer_delay_ms = 0
        answers = await asyncio.gather(*sending)
        assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}

    play(scenario, listening=False, query="?window=3", answer_delay_ms=500)


def test_a_text_whose_turn_does_not_come_in_time_has_not_left() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.gateway.send(outgoing(1))
        stage.centre.faults.answer_delay_ms = 5000
        results = await asyncio.gather(
            *(stage.gateway.send(outgoing(n)) for n in range(2, 5)), return_exceptions=True
        )
        kinds = sorted(type(each).__name__ for each in results)
        assert kinds == ["OutcomeUnknown", "Unreachable", "Unreachable"]
        assert len(stage.centre.log.parts) == 2

    patience = Patience(connecting=5.0, whole=0.8, farewell=0.1)
    play(scenario, listening=False, query="?window=1", gateway={"patience": patience})


def test_an_answer_lost_after_acceptance_leaves_the_outcome_unknown() -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(OutcomeUnknown):
            await stage.gateway.send(outgoing(9))
        assert len(stage.centre.log.texts()) == 1
        assert not stage.gateway.can_ask
        assert await stage.gateway.status(reference=9, number=NUMBER, provider_id=None) is None

    play(scenario, listening=False, drops_taken=1)


def test_a_connection_lost_before_the_centre_took_it_is_unknown_to_us_as_well() -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(OutcomeUnknown):
            await stage.gateway.send(outgoing())
        assert stage.centre.log.parts == []

    play(scenario, listening=False, drops_untaken=1)


def test_of_many_under_way_each_learns_its_own_fate_when_the_connection_breaks() -> None:
    async def scenario(stage: Stage) -> None:
        results = await asyncio.gather(
            *(stage.gateway.send(outgoing(n)) for n in range(1, 31)), return_exceptions=True
        )
        unknown = sum(isinstance(each, OutcomeUnknown) for each in results)
        unsent = sum(isinstance(each, Unreachable) for each in results)
        assert unknown + unsent == 30
        assert 1 <= unknown <= 10, "no more than the window can be in doubt"
        assert len(stage.centre.log.parts) <= unknown

    play(scenario, listening=False, drops_taken=1, gateway={"first_pause": 30.0})


def test_silence_is_an_unknown_outcome_and_a_late_receipt_still_finds_the_text() -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(OutcomeUnknown):
            await stage.gateway.send(outgoing(11))
        await stage.until(lambda: bool(stage.receipts))
        assert stage.receipts[0].provider_id == stage.centre.log.parts[0].message_id

    play(scenario, silent=True, receipt_delay_ms=700, gateway={"patience": IMPATIENCE})


def test_an_answer_that_comes_too_late_is_still_learned_from() -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(OutcomeUnknown):
            await stage.gateway.send(outgoing(12))
        await stage.until(lambda: bool(stage.receipts))
        assert (stage.receipts[0].reference, stage.receipts[0].state) == (12, ReceiptState.DELIVERED)

    play(scenario, answer_delay_ms=900, receipt_delay_ms=50, gateway={"patience": IMPATIENCE})


def test_who_does_not_listen_draws_no_receipts_to_himself() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.gateway.send(outgoing())
        assert dict(stage.centre.log.binds) == {"transmitter": 1}
        await stage.until(lambda: stage.centre.undelivered == 1)

    play(scenario, listening=False)


def test_listening_after_sending_changes_the_bind() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.gateway.send(outgoing())
        ears = asyncio.create_task(stage.gateway.listen(stage.tell))
        await stage.until(lambda: bool(stage.receipts))
        assert dict(stage.centre.log.binds) == {"transmitter": 1, "transceiver": 1}
        assert len(stage.centre.connections) == 1
        await stage.gateway.close()
        await asyncio.wait_for(ears, 5)

    play(scenario, listening=False)


@pytest.mark.parametrize(("status", "word"), [(0x0E, "ESME_RINVPASWD"), (0x0D, "ESME_RBINDFAIL")])
def test_a_refused_bind_stops_the_login_and_is_not_tried_for_every_text(status: int, word: str) -> None:
    async def scenario(stage: Stage) -> None:
        answers = [await stage.gateway.send(outgoing(n)) for n in range(1, 6)]
        assert {(each.verdict, each.reason, each.status) for each in answers} == {
            (Verdict.STOPPED, word, status)
        }
        stage.centre.faults.refuse_binds = 0
        with pytest.raises(AssertionError, match="not yet"):
            assert (await stage.gateway.send(outgoing())).verdict is Verdict.ACCEPTED, "not yet"

    play(scenario, listening=False, refuse_binds=status, gateway={"first_pause": 30.0})


def test_a_wrong_password_is_told_by_the_centre() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing())
        assert (answer.verdict, answer.reason) == (Verdict.STOPPED, "ESME_RINVPASWD")

    play(
        scenario,
        listening=False,
        gateway={"secrets": {"system_id": "perkpass", "password": "wrong"}},
    )


def test_a_centre_that_is_busy_with_binds_is_out_of_reach_for_now() -> None:
    async def scenario(stage: Stage) -> None:
        with pytest.raises(Unreachable):
            await stage.gateway.send(outgoing())
        stage.centre.faults.refuse_binds = 0
        await asyncio.sleep(0.05)
        assert (await stage.gateway.send(outgoing())).verdict is Verdict.ACCEPTED

    play(scenario, listening=False, refuse_binds=0x05)


def test_nobody_at_home_means_that_nothing_was_sent() -> None:
    async def scenario() -> None:
        gateway = gateway_at("smpp://127.0.0.1:9")
        with pytest.raises(Unreachable):
            await gateway.send(outgoing())
        await gateway.close()
        with pytest.raises(Unreachable):
            await gateway.send(outgoing())

    asyncio.run(scenario())


def test_the_bind_is_made_anew_after_it_was_lost() -> None:
    async def scenario(stage: Stage) -> None:
        for round_ in range(1, 4):
            await stage.until(lambda: any(each.hears for each in stage.centre.connections))
            answer = await stage.gateway.send(outgoing(round_))
            assert answer.verdict is Verdict.ACCEPTED
            stage.centre.drop()
            await stage.until(lambda: not stage.centre.connections)
        await stage.until(lambda: {each.reference for each in stage.receipts} == {1, 2, 3})

    play(scenario, receipt_delay_ms=30)


def test_unbinding_by_the_centre_is_answered_and_followed_by_a_new_bind() -> None:
    async def scenario(stage: Stage) -> None:
        assert (await stage.gateway.send(outgoing(1))).verdict is Verdict.ACCEPTED
        stage.centre.faults.unbind_after = None
        await stage.until(lambda: stage.centre.log.binds["transceiver"] == 2)
        assert (await stage.gateway.send(outgoing(2))).verdict is Verdict.ACCEPTED
        await stage.until(lambda: len({each.reference for each in stage.receipts}) == 2)

    play(scenario, unbind_after=1)


def test_a_centre_that_has_fallen_asleep_is_noticed_and_left() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.until(lambda: stage.centre.log.enquiries >= 2)
        stage.centre.faults.deaf = True
        await stage.until(lambda: not stage.centre.connections)
        stage.centre.faults.deaf = False
        await stage.until(lambda: stage.centre.log.binds["transceiver"] >= 2)

    patience = Patience(connecting=0.5, answer=0.2, silence=0.05, farewell=0.1)
    play(scenario, gateway={"patience": patience})


def test_the_centre_is_answered_when_it_asks_whether_we_live() -> None:
    async def scenario(stage: Stage) -> None:
        (connection,) = stage.centre.connections
        assert await connection.ask(smpp_wire.ENQUIRE_LINK) == smpp_wire.OK
        assert await connection.ask(0x103) == smpp_wire.BAD_COMMAND  # data_sm: generic_nack
        assert await connection.ask(smpp_wire.ENQUIRE_LINK) == smpp_wire.OK

    play(scenario)


def test_garbage_ends_the_connection_and_not_the_gateway() -> None:
    async def scenario(stage: Stage) -> None:
        (connection,) = stage.centre.connections
        connection._writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await stage.until(lambda: stage.centre.log.binds["transceiver"] == 2)
        assert (await stage.gateway.send(outgoing())).verdict is Verdict.ACCEPTED

    play(scenario)


def test_a_bind_that_holds_no_moment_is_not_repeated_without_a_pause() -> None:
    async def scenario(stage: Stage) -> None:
        started = time.monotonic()
        for _ in range(3):
            await stage.until(lambda: bool(stage.centre.connections))
            stage.centre.drop()
            await stage.until(lambda: not stage.centre.connections)
        await stage.bound()
        assert time.monotonic() - started > 0.8 * (0.05 + 0.1 + 0.2)

    play(scenario, gateway={"first_pause": 0.05})


def test_later_parts_are_tried_again_where_the_centre_has_no_room() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(text=LONG))
        assert answer.verdict is Verdict.ACCEPTED
        assert [each.text for each in stage.centre.log.texts()] == [LONG]

    play(scenario, listening=False, next_answers=[0, 0x58, 0x14, 0])


def test_a_text_half_gone_is_never_begun_again() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(text=LONG))
        assert answer.verdict is Verdict.REFUSED
        assert answer.reason == "ESME_RTHROTTLED (part 2 of 3)"
        assert len(stage.centre.log.parts) == 1

    play(scenario, listening=False, next_answers=[0] + [0x58] * 5)


def test_a_text_half_gone_is_finished_over_the_next_connection() -> None:
    async def scenario(stage: Stage) -> None:
        sending = asyncio.create_task(stage.gateway.send(outgoing(text=LONG)))
        await stage.until(lambda: stage.centre.log.answers[smpp_wire.THROTTLED] == 1)
        await asyncio.sleep(0.02)
        stage.centre.drop()
        answer = await sending
        assert answer.verdict is Verdict.ACCEPTED
        assert [each.text for each in stage.centre.log.texts()] == [LONG]

    play(scenario, listening=False, next_answers=[0, 0x58], gateway={"part_pause": 0.2})


def test_a_centre_sends_no_callbacks_and_knows_no_money() -> None:
    async def scenario(stage: Stage) -> None:
        assert await stage.gateway.balance() is None
        assert stage.gateway.confirmation()[0] == ""
        with pytest.raises(NotOurs):
            stage.gateway.hear(Callback(method="POST", url="https://x/", headers={}, form={}))

    play(scenario, listening=False)


def test_over_tls_the_centre_must_show_a_certificate_we_trust(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "authority", now=datetime.now(UTC).replace(microsecond=0))
    certificate, key = authority.server_certificate(tmp_path / "centre")

    async def trusted(stage: Stage) -> None:
        assert stage.centre.url.startswith("smpps://")
        assert (await stage.gateway.send(outgoing())).verdict is Verdict.ACCEPTED
        await stage.until(lambda: bool(stage.receipts))
        stranger = gateway_at(stage.centre.url)
        with pytest.raises(Unreachable):
            await stranger.send(outgoing(2))
        await stranger.close()

    play(
        trusted,
        settings=SmppSettings(certificate=certificate, key=key),
        gateway={"ca": authority.root},
    )


def test_wrong_settings_are_told_at_once_and_tell_no_secret() -> None:
    wrong = login(
        "smpp://127.0.0.1:2775?ids=octal&window=0&speed=9",
        secrets={"system_id": "perkpass", "password": "longerthaneight", "system_type": "longerthantwelve"},
    )
    with pytest.raises(Misconfigured) as told:
        gateway_at(wrong.url, secrets=wrong.secrets)
    assert len(told.value.faults) == 5
    assert "longerthaneight" not in str(told.value)


@pytest.mark.parametrize(("status", "word"), [(0x0E, "ESME_RINVPASWD"), (0x0D, "ESME_RBINDFAIL")])
def test_whether_the_centre_lets_us_in_is_known_from_asking_what_is_left(status: int, word: str) -> None:
    async def scenario(stage: Stage) -> None:
        assert await stage.gateway.balance() is None
        assert stage.centre.log.binds["transmitter"] == 1
        stage.centre.faults.refuse_binds = status
        stage.centre.drop()
        with pytest.raises(Unreachable, match=word):
            await gateway_at(stage.centre.url).balance()
        await stage.centre.stop()
        with pytest.raises(Unreachable):
            await gateway_at(stage.centre.url).balance()

    play(scenario, listening=False)


def test_a_wrong_password_is_told() -> None:
    async def scenario(stage: Stage) -> None:
        wrong = gateway_at(stage.centre.url, secrets={"system_id": "perkpass", "password": "no"})
        with pytest.raises(Unreachable, match="ESME_RINVPASWD"):
            await wrong.balance()
        await wrong.close()

    play(scenario, listening=False)
