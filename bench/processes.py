"""The processes of a measurement: one server, one worker a client, each on its own processor where there are two."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .samples import ROOT

CERTIFICATE = ROOT / "tests/layer/untrusted.pem"


def pin(number: int) -> None:
    """Server and client on different processors, so that one does not wait for the other's."""
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[number % len(processors)]})


def environ(**more: str) -> dict[str, str]:
    """With bytecode kept, as an installed package has it."""
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}, **more}


class Process:
    """A child that is told, and tells, by lines; it ends when its stdin does."""

    def __init__(self, python: str | Path, *arguments: str | Path, **more: str) -> None:
        self._child = subprocess.Popen(  # noqa: S603
            [python, "-m", *arguments],
            cwd=ROOT,
            env=environ(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdin is not None  # noqa: S101
        assert self._child.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._child.stdin, self._child.stdout

    def line(self) -> str:
        """Its next line; empty when it has ended."""
        return self._stdout.readline()

    def ask(self, **command: Any) -> dict[str, Any]:
        self._stdin.write(json.dumps(command) + "\n")
        self._stdin.flush()
        answer: dict[str, Any] = json.loads(self.line() or '{"failure": "the process has ended"}')
        return answer

    def end(self) -> None:
        self._stdin.close()
        self._child.wait(30)
        self._stdout.close()


class Server:
    def __init__(self, plain: int, tls: int) -> None:
        self.plain, self.tls = f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}"

    def seen(self) -> dict[str, int]:
        """What it saw since the last look; this look counts as a connection."""
        with urllib.request.urlopen(self.plain + "/seen") as answer:  # noqa: S310
            seen: dict[str, int] = json.load(answer)
            return seen


@contextmanager
def serving() -> Generator[Server]:
    process = Process(sys.executable, "bench.server", CERTIFICATE)
    try:
        plain, tls = process.line().split()
        yield Server(int(plain), int(tls))
    finally:
        process.end()
