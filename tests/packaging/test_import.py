"""What an import costs and does: next to nothing."""

import json
import sys
from pathlib import Path

from .conftest import Run

MODULES = """
import atlas_refunds, json, sys
print(json.dumps(sorted(sys.modules)))
"""
NOT_NEEDED = {
    "starlette",
    "uvicorn",
    "yaml",
    "pytest",
    "hypothesis",
    "opentelemetry",
    "aiohttp",
    "h2",
    "openapi_python_client",
    "dbos",
}


def loaded(output: str) -> set[str]:
    return set(json.loads(output))


def test_an_import_loads_nothing_that_is_for_tests_and_extras(run: Run) -> None:
    """In this environment, where all of it is installed."""
    modules = loaded(run(sys.executable, MODULES))
    assert {"atlas_refunds.client", "atlas_refunds_api.models"} <= modules
    assert {"httpx", "httpcore", "dateutil"} & modules == set()  # loaded at the first call, off the event loop
    assert {name.partition(".")[0] for name in modules} & NOT_NEEDED == set()
    assert not [name for name in modules if name.startswith("atlas_refunds.simulator")]


def test_an_import_works_without_any_extra(fresh_python: Path, run: Run) -> None:
    modules = loaded(run(fresh_python, MODULES))
    assert "atlas_refunds.client" in modules


DEEDS = """
import asyncio, json, os, socket, threading
import httpx

deeds, environ = [], type(os.environ)

def notice(owner, name, label=None):
    original = getattr(owner, name)
    def noticed(*args, **kwargs):
        deeds.append(label or str(args[1]))
        return original(*args, **kwargs)
    setattr(owner, name, noticed)

notice(asyncio, "new_event_loop", "loop")
notice(asyncio.events, "new_event_loop", "loop")
notice(asyncio.BaseEventLoop, "__init__", "loop")
notice(httpx.AsyncClient, "__init__", "httpx client")
notice(httpx.Client, "__init__", "httpx client")
notice(httpx.AsyncHTTPTransport, "__init__", "httpx transport")
notice(httpx, "create_ssl_context", "certificates")
notice(socket.socket, "connect", "connection")
notice(threading.Thread, "start", "thread")
notice(environ, "__getitem__")
notice(environ, "__contains__")

import atlas_refunds
at_import = list(deeds)
deeds.clear()
atlas_refunds.AtlasRefunds.from_env()
at_construction = list(deeds)
deeds.clear()
asyncio.run(asyncio.sleep(0))
httpx.AsyncClient()
httpx.create_ssl_context()
print(json.dumps([at_import, at_construction, deeds]))
"""


def test_an_import_does_nothing_and_a_client_opens_nothing(run: Run) -> None:
    """Neither loop nor connection nor thread nor a look at our environment variables."""
    environment = {"ATLAS_CLIENT_ID": "id", "ATLAS_CLIENT_SECRET": "secret", "ATLAS_BASE_URL": "https://atlas.example"}
    at_import, at_construction, control = json.loads(run(sys.executable, DEEDS, **environment))
    ours = {name for name in at_import if name.startswith("ATLAS")}
    opened = {"loop", "httpx client", "httpx transport", "certificates", "connection", "thread"}
    assert ours == set()
    assert opened & set(at_import) == set()
    assert set(at_construction) == {*environment, "ATLAS_ENVIRONMENT"}  # so looks are noticed
    assert {"loop", "httpx client", "httpx transport", "certificates"} <= set(control)  # and so is the rest
