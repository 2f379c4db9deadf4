"""What is compared: the clients, and the environment that each of them gets."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

from .processes import environ
from .samples import ROOT

FOLDER = Path(tempfile.gettempdir()) / "atlas-refunds-bench"
SPEC = ROOT / "openapi/corrected.json"
OURS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
OUR_PATHS = (ROOT, ROOT / "generated_client")
HTTPX = next(requirement for requirement in OURS if requirement.startswith("httpx"))


class Unavailable(Exception):
    """This client cannot be made here; the text says why."""


@dataclass(frozen=True)
class Peer:
    """`statement` is what its user's program begins with, `packages` what it needs."""

    name: str
    title: str
    statement: str
    packages: tuple[str, ...]
    paths: tuple[Path, ...] = ()


PEERS = [
    Peer("raw_httpx", "raw httpx + json", "import asyncio, httpx", (HTTPX,)),
    Peer("raw_aiohttp", "raw aiohttp + json", "import asyncio, aiohttp", ("aiohttp>=3.11",)),
    Peer(
        "generated",
        "openapi-python-client, its own templates",
        "import asyncio, generated_peer.api.refund.query_refund_orders, generated_peer.models",
        (HTTPX, "attrs>=23.1", "python-dateutil>=2.9"),
        (FOLDER / "generated",),
    ),
    Peer(
        "openapi_generator",
        "openapi-generator, python/asyncio",
        "import asyncio, generator_peer",
        ("aiohttp>=3.11", "aiohttp-retry>=2.8.3", "pydantic>=2.11", "python-dateutil>=2.9"),
        (FOLDER / "openapi_generator",),
    ),
    Peer("ours_injected", "atlas_refunds, injected httpx client", "", tuple(OURS), OUR_PATHS),
    Peer("ours_aiohttp", "atlas_refunds, injected aiohttp session", "", (*OURS, "aiohttp>=3.12"), OUR_PATHS),
    Peer("ours", "atlas_refunds", "import atlas_refunds", tuple(OURS), OUR_PATHS),
]


def prepare(peer: Peer) -> Path:
    """The interpreter of its environment; what is there from an earlier run is kept. Raises Unavailable."""
    folder = FOLDER / "environments" / peer.name
    python, mark = folder / "bin/python", folder / "made-of"
    made_of = json.dumps([peer.packages, hashlib.sha256(SPEC.read_bytes()).hexdigest()])
    if not mark.exists() or mark.read_text("utf-8") != made_of:
        if peer.name in GENERATORS:
            GENERATORS[peer.name](peer.paths[0])
        install(folder, *peer.packages)
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "bench.pth").write_text("".join(f"{path}\n" for path in peer.paths), "utf-8")
        mark.write_text(made_of, "utf-8")
    return python


def install(folder: Path, *packages: str) -> None:
    venv.create(folder, clear=True, symlinks=True)
    run(sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "-q", *packages)


def by_openapi_python_client(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    options = ("--meta", "none", "--overwrite", "--output-path", out / "generated_peer")
    run(sys.executable, "-m", "openapi_python_client", "generate", "--path", SPEC, *options)


def by_openapi_generator(out: Path) -> None:
    if not shutil.which("java"):
        raise Unavailable("java is missing")
    tool = FOLDER / "environments/openapi-generator-cli"
    install(tool, "openapi-generator-cli==7.26.0")
    options = ("-g", "python", "--library", "asyncio", "--additional-properties=packageName=generator_peer")
    run(tool / "bin/openapi-generator-cli", "generate", "-i", SPEC, "-o", out, *options)


GENERATORS = {"generated": by_openapi_python_client, "openapi_generator": by_openapi_generator}


def run(*command: str | Path) -> str:
    """Raises Unavailable with the last line of what it said."""
    tools = f"{Path(sys.executable).parent}:{environ()['PATH']}"  # the generator looks for its formatter there
    done = subprocess.run(command, env=environ(PATH=tools), capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing said").splitlines()[-1]
        raise Unavailable(f"{Path(command[0]).name} failed: {last}")
    return done.stdout
