"""The example service as a customer runs it: two workers, a database, a local Atlas; one for all these tests."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from .campaign import lines
from .processes import PEOPLE, SECRET
from .world import World, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("service")) as made:
        yield made


@pytest.fixture
def key() -> str:
    return secrets.token_hex(4)


async def test_quoted_accepted_followed_paid_once(world: World, key: str) -> None:
    quoted = (await world.shop.post(key, f"SIM-PENALTY.{key}")).json()
    assert (quoted["step"], quoted["amount"], quoted["currency"], quoted["fee"]) == ("quoted", "125.48", "USD", "2")
    assert (await world.shop.post(key, f"SIM-PENALTY.{key}")).json() == quoted  # the same question again
    assert await world.submissions(f"SIM-PENALTY.{key}") == 0
    refused = await world.shop.post(key, f"SIM-PENALTY.{key}", "125.47")
    assert (refused.status_code, refused.json()["detail"]) == (409, "the quote is 125.48 USD")
    answers = await asyncio.gather(*(world.shop.post(key, f"SIM-PENALTY.{key}", "125.480") for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    await world.until(key, step="submitted", refund_status="0")
    assert await world.submissions(f"SIM-PENALTY.{key}") == 1
    await world.days(50)
    assert (await world.until(key, step="refunded"))["refund_status"] == "2"
    assert world.payments(key) == 1


async def test_a_rejection_is_an_end_without_payment(world: World, key: str) -> None:
    await world.accepted(key, f"SIM-REJECTED.{key}")
    await world.days(11)
    view = await world.until(key, step="not refunded")
    assert (view["refund_status"], view["note"]) == ("4", "Does not match airline policy.")
    assert world.payments(key) == 0


WRONG: list[tuple[dict[str, Any], int]] = [
    ({"order_no": "SIM REFUNDED"}, 422),
    ({"passengers": []}, 422),
    ({"passengers": [{**PEOPLE[0], "last_name": ""}]}, 422),
    ({"accepted_amount": "much"}, 422),
    ({"order_no": "UNKNOWN"}, 409),
    ({"order_no": "SIM-NOT-REFUNDABLE"}, 409),
    ({"order_no": "SIM-SYSTEM-ERROR"}, 503),
]


async def test_what_cannot_be_done_is_said_without_a_trace(world: World, key: str) -> None:
    for change, status in WRONG:
        body = {"order_no": f"SIM-REFUNDED.{key}", "passengers": PEOPLE} | change
        answer = await world.http.post("/refunds", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == status, answer.text
    no_key = await world.http.post("/refunds", json={"order_no": f"SIM-REFUNDED.{key}", "passengers": PEOPLE})
    assert no_key.status_code == 422
    assert (await world.http.get("/refunds/unknown")).status_code == 404
    assert (await world.http.get("/refunds/unknown/events")).status_code == 404
    await world.shop.post(key, f"SIM-REFUNDED.{key}")
    assert (await world.shop.post(key, f"SIM-VCC.{key}")).status_code == 422  # the key is taken


async def test_what_atlas_refuses_at_the_submit_is_final(world: World, key: str) -> None:
    assert (await world.accepted(key, f"SIM-PAST-DEADLINE.{key}")).json()["step"] == "refused"
    assert (await world.shop.look(key))["note"] == "refused, code 821"
    again = await world.shop.post(key, f"SIM-PAST-DEADLINE.{key}", "165.48")
    assert again.json()["step"] == "refused"


async def test_an_expired_quote_wants_new_consent(world: World, key: str) -> None:
    amount = (await world.shop.post(key, f"SIM-REFUNDED.{key}")).json()["amount"]
    await world.days(1)
    expired = await world.shop.post(key, f"SIM-REFUNDED.{key}", amount)
    assert expired.status_code == 409
    assert "the quote had expired, now it is 165.48 USD" in expired.json()["detail"]
    assert await world.submissions(f"SIM-REFUNDED.{key}") == 0
    assert (await world.shop.post(key, f"SIM-REFUNDED.{key}", amount)).json()["step"] == "submitted"


UNCLEAR = ("lost_answer", "html_200", "duplicate", "reset_mid_body")


async def test_an_executed_submit_without_a_clear_answer_is_found(world: World) -> None:
    """By the time of the answer a worker may have looked already."""
    orders = {fault: f"SIM-REFUNDED+{fault}" for fault in UNCLEAR}
    answers = await asyncio.gather(*(world.accepted(fault, order) for fault, order in orders.items()))
    assert {answer.json()["step"] for answer in answers} <= {"unclear", "submitted"}
    for fault, order in orders.items():
        await world.until(fault, step="submitted")
        assert await world.submissions(order) == 1
    await world.days(50)
    for fault in orders:
        await world.until(fault, step="refunded")


async def test_a_submit_that_was_not_executed_can_be_accepted_again(world: World, key: str) -> None:
    order_no = "SIM-REFUNDED+refused"
    assert (await world.accepted(key, order_no)).json()["step"] == "unclear"
    waiting = await world.shop.post("k2", order_no)  # meanwhile nobody else submits for this order
    assert (await world.shop.post("k2", order_no, waiting.json()["amount"])).json()["step"] == "quoted"
    view = await world.until(key, step="quoted")
    assert view["note"] == "was not submitted; accept it again"
    assert (await world.shop.post(key, order_no, view["amount"])).json()["step"] == "submitted"
    assert await world.submissions(order_no) == 1


async def test_changes_arrive_as_they_happen_and_a_reader_that_was_away_misses_none(world: World, key: str) -> None:
    await world.accepted(key, f"SIM-VOID.{key}")
    reading = asyncio.ensure_future(world.events(key))
    await world.days(1)
    seen = [json.loads(event) for event in await reading]
    assert [event["step"] for event in seen][:3] == ["quoted", "submitting", "submitted"]
    assert (seen[-1]["step"], seen[-1]["status"]) == ("refunded", "2")
    assert await world.events(key, **{"Last-Event-ID": str(len(seen) - 1)}) == [json.dumps(seen[-1])]


async def test_the_door_for_webhooks_tells_nothing(world: World, key: str) -> None:
    await world.accepted(key, f"SIM-REFUNDED.{key}")
    known, unknown = [
        await world.http.post(f"/hooks/atlas/{SECRET}", json={"orderNo": order, "refundStatus": 2})
        for order in (f"SIM-REFUNDED.{key}", "NOBODYS")
    ]
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (200, b"")
    wrong = await world.http.post("/hooks/atlas/another-secret-of-the-hook", json={"orderNo": f"SIM-REFUNDED.{key}"})
    assert (wrong.status_code, wrong.content) == (404, b"")
    assert (await world.http.post(f"/hooks/atlas/{SECRET}", content=b"x" * 300_000)).status_code == 413
    assert (await world.http.post(f"/hooks/atlas/{SECRET}", content=b"no JSON")).status_code == 400


async def test_health_readiness_and_the_openapi_page(world: World) -> None:
    assert (await world.http.get("/health")).json() == {"status": "ok"}
    assert (await world.http.get("/ready")).json() == {"status": "ready"}
    page = (await world.http.get("/openapi.json")).json()
    assert set(page["paths"]) == {"/refunds", "/refunds/{key}", "/refunds/{key}/events", "/health", "/ready"}
    assert (await world.http.get("/docs")).is_success
    log = lines(world.service.log.read_text())
    assert {"/health", "/ready"} <= {line.get("route") for line in log}
