"""gunicorn with two workers of uvicorn on uvloop, as many services run."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from .conftest import ROOT, Atlas
from .journey import SECRET


@asynccontextmanager
async def each_worker(url: str) -> AsyncGenerator[list[httpx.AsyncClient]]:
    """A connection to each of the two. What it was made with, `/thread`, is the first call of its worker."""
    async with AsyncExitStack() as stack:
        found: dict[int, httpx.AsyncClient] = {}
        for _ in range(200):
            client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)
            await stack.enter_async_context(client)
            answer = (await client.get("/thread")).raise_for_status().json()
            assert answer["loop"] == "uvloop"
            found.setdefault(answer["worker"], client)
            if len(found) == 2:
                break
        assert len(found) == 2, "one worker takes all connections"
        yield list(found.values())


async def test_every_worker_takes_a_refund_from_quote_to_end(atlas: Atlas, tmp_path: Path) -> None:
    """Over TLS, with the authority that SSL_CERT_FILE names; the first call of each worker comes out of a thread."""
    application, log = "tests.environments.service:fastapi_app()", tmp_path / "gunicorn.log"
    upstream = {"ATLAS_BASE_URL": atlas.tls, "SSL_CERT_FILE": atlas.environment["ATLAS_TEST_CA"]}
    async with atlas.gunicorn(application, log, ROOT, **upstream) as url, each_worker(url) as workers:
        for step in ("calls", "webhook", "tracking"):
            for answer in await asyncio.gather(*(worker.get(f"/steps/{step}") for worker in workers)):
                assert answer.raise_for_status().json()["loop"] == "uvloop"
        event = json.dumps({"orderNo": "SIM-REFUNDED", "refundStatus": 2})
        assert (await workers[0].post(f"/hooks/atlas/{SECRET}", content=event)).status_code == 200
    assert "Traceback" not in log.read_text()
