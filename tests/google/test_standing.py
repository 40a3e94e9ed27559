"""What Google tells of an issuer."""

from __future__ import annotations

from datetime import UTC, datetime

from app.google import standing
from app.google.answers import Verdict
from app.google.client import GoogleWallet
from app.google.standing import Standing
from app.simulators.google import ISSUER, RunningGoogle
from tests.google.test_client import CARD, CLASS, GOLD, account_of, google, prepare, using

__all__ = ["google"]


def test_an_issuer_whose_cards_can_be_issued(google: RunningGoogle) -> None:
    account = account_of(google)

    async def ask(wallet: GoogleWallet) -> Standing:
        await prepare(wallet)
        return await standing.look(
            wallet,
            account,
            issuer_id=ISSUER,
            class_ids=[CLASS, GOLD],
            object_id=CARD,
            now=datetime.now(UTC),
        )

    found = using(google, ask, account=account)
    assert found.sound
    assert found.name
    assert found.reviews[CLASS] in ("APPROVED", "UNDER_REVIEW")
    assert found.reviews[GOLD] == "missing"
    assert found.link is not None
    assert found.link.verdict == Verdict.ACCEPTED


def test_a_stranger_s_account_and_a_card_that_is_not_there_are_told(google: RunningGoogle) -> None:
    stranger = account_of(google, "4499000000000000000", "other")
    denied = using(
        google,
        lambda wallet: standing.look(wallet, stranger, issuer_id=ISSUER, now=datetime.now(UTC)),
        account=stranger,
    )
    assert (denied.sound, denied.issuer.verdict, denied.link) == (False, Verdict.DENIED, None)
    account = account_of(google)
    nobody = using(
        google,
        lambda wallet: standing.look(
            wallet, account, issuer_id=ISSUER, object_id=f"{ISSUER}.nobody", now=datetime.now(UTC)
        ),
        account=account,
    )
    assert not nobody.sound
    assert nobody.link is not None
    assert nobody.link.words
