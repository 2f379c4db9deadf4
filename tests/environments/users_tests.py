"""The tests that users write: run by a pytest of their own, for pytest-asyncio would take the ones of anyio."""

import json
import os
from collections.abc import Callable
from typing import Any

import fastapi.testclient
import litestar.testing
import pytest
import starlette.testclient

from atlas_refunds import AtlasRefunds

from .journey import SECRET, calls, tracking, webhook
from .litestar_service import litestar_app
from .service import fastapi_app, starlette_app

TESTCLIENTS: dict[str, Callable[[], Any]] = {
    "FastAPI": lambda: fastapi.testclient.TestClient(fastapi_app()),
    "Starlette": lambda: starlette.testclient.TestClient(starlette_app()),
    "Litestar": lambda: litestar.testing.TestClient(litestar_app()),
}


@pytest.mark.parametrize("turn", ["first", "second"])
@pytest.mark.parametrize("framework", TESTCLIENTS)
def test_service(framework: str, turn: str) -> None:
    """Twice in one process: the second one has an event loop of its own."""
    with TESTCLIENTS[framework]() as service:
        assert service.get("/thread").json()["refundable"]
        for step in ("calls", "webhook", "tracking")[: 3 if turn == "first" else 2]:
            assert service.get(f"/steps/{step}").json()["worker"] == os.getpid()
        event = {"orderNo": "SIM-REFUNDED", "refundStatus": 2}
        assert service.post(f"/hooks/atlas/{SECRET}", content=json.dumps(event)).status_code == 200
        assert service.post("/hooks/atlas/another-secret", content=json.dumps(event)).status_code == 404


@pytest.fixture
async def atlas() -> Any:
    async with AtlasRefunds.from_env() as client:
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize(
    "anyio_backend",
    [("asyncio", {"use_uvloop": use_uvloop}) for use_uvloop in (False, True)],
    ids=["asyncio", "uvloop"],
)
async def test_anyio_mark(anyio_backend: object, atlas: AtlasRefunds) -> None:
    for step in (calls, webhook, tracking):
        await step(atlas)
