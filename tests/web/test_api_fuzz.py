"""The till API against whatever schemathesis makes of its contract: no fault inside, no other shape."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app.db import Database
from tests.loyalty import town as towns
from tests.loyalty.town import TIERED
from tests.web.till_api import Bell, application, services

OPERATIONS = ("record_receipt", "redeem", "refund_receipt", "show_card", "show_funnel")


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_no_request_brings_the_api_down_or_out_of_its_contract(database: Database, operation_id: str) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
    app = application(services(database, Bell()))
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert {one.definition.raw["operationId"] for one in found} == set(OPERATIONS)
    operation = next(one for one in found if one.definition.raw["operationId"] == operation_id)

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def fuzz(case: schemathesis.Case[Any]) -> None:
        # A schema cannot say "not older than 30 days" or "the brand's currency": 422 is right there.
        case.call_and_validate(
            headers={"Authorization": f"Bearer {town.secret}"}, excluded_checks=[positive_data_acceptance]
        )

    fuzz()
