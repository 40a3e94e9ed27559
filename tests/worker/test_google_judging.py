"""What answers mean that no stand-in gives at will: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db.identifiers import (
    BrandId,
    DeliveryId,
    GoogleClassId,
    GoogleIssuerId,
    GoogleObjectId,
    WalletPassId,
)
from app.delivery.google_promises import ClaimedGoogle
from app.google import calls
from app.google.answers import Answer, Verdict
from app.passes.google_patches import UNKNOWN
from app.passes.store_google import ObjectRow
from app.worker.google_judging import judge
from app.worker.google_parcels import GoogleAnswered, GoogleReady
from app.worker.google_plans import Plan
from tests.passes.card import NOW

pytestmark = pytest.mark.once
FAILED = Answer(verdict=Verdict.RETRY, status=504, reason="504")
CROWD = Answer(verdict=Verdict.RETRY, status=429, reason="rateLimitExceeded")
QUOTA = Answer(verdict=Verdict.QUOTA, status=403, reason="quotaExceeded")
REFUSED = Answer(verdict=Verdict.REFUSED, status=400, reason="invalid")
ROW = ObjectRow(
    id=GoogleObjectId(1), pass_id=WalletPassId(1), brand_id=BrandId(1), issuer_id=GoogleIssuerId("3388"),
    resource_id="3388.a", google_class_id=None, sent={"state": "a", "loyaltyPoints": "b"}, messages=["m"],
    announced=None, doubted_message=None, doubted_at=None, unread_since=None, has_users=True,
    inserted_at=NOW, first_saved_at=NOW, removed_at=None,
)  # fmt: skip
PATCH = Plan(
    step="patch", first=calls.patch_object("3388.a", {}), how="field",
    fields=("loyaltyPoints", "notifyPreference"),
)  # fmt: skip
OF_CLASS = Plan(
    step="patch", first=calls.patch_class("3388.c", {}), sent={"a": "b"}, class_id=GoogleClassId(7)
)


def answered(plan: Plan, first: Answer) -> GoogleAnswered:
    of_class = plan is OF_CLASS
    claimed = ClaimedGoogle(
        id=DeliveryId(1), brand_id=BrandId(1), kind="class" if of_class else "receipt",
        object_id=None if of_class else ROW.id, class_id=GoogleClassId(7) if of_class else None,
        broadcast_id=None, attempts=1, due_at=NOW,
    )  # fmt: skip
    ready = GoogleReady(
        claimed=claimed,
        issuer_id=GoogleIssuerId("3388"),
        plan=plan,
        prepared_at=NOW,
        prepared=0.0,
        leaves=(0.0,),
        too_late=9.0,
        message_by=9.0,
    )
    return GoogleAnswered(ready=ready, first=first)


def test_a_patch_that_failed_on_the_way_may_be_there_all_the_same() -> None:
    judged = judge(answered(PATCH, FAILED), now=NOW)
    assert judged.change is not None
    assert judged.change(ROW).sent == {"state": "a", "loyaltyPoints": UNKNOWN}
    assert (judged.outcome.verdict, judged.fate) == ("retry", "asked")
    untouched = judge(answered(PATCH, CROWD), now=NOW)
    assert (untouched.change, untouched.fate) == (None, "unused")


def test_a_class_that_failed_on_the_way_is_sent_whole_the_next_time() -> None:
    assert judge(answered(OF_CLASS, FAILED), now=NOW).class_now == (7, None, True)
    assert judge(answered(OF_CLASS, CROWD), now=NOW).class_now is None
    assert judge(answered(OF_CLASS, REFUSED), now=NOW).class_refused
    assert not judge(answered(OF_CLASS, CROWD), now=NOW).class_refused


def test_a_balance_whose_notification_is_one_too_many_is_sent_without_it() -> None:
    judged = judge(answered(PATCH, QUOTA), now=NOW)
    assert (judged.outcome.verdict, judged.fate) == ("next", "quota")
    silent = judge(answered(replace(PATCH, how=None), QUOTA), now=NOW)
    assert silent.outcome.verdict == "retry"


def test_a_message_that_never_left_counts_for_nothing() -> None:
    lost = Answer(verdict=Verdict.LOST, reason="no-answer")
    plan = replace(PATCH, how="message", message=calls.message_object("3388.a", {}), message_id="m2")
    assert judge(answered(plan, lost), now=NOW).fate == "unused"
    both = replace(answered(plan, lost), message=lost)
    assert judge(both, now=NOW).fate == "asked"
