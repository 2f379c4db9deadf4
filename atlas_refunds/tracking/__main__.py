"""`python -m atlas_refunds.tracking`: a worker, and what an operator asks of the tracked refunds."""

import argparse
import asyncio
import importlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from .. import AtlasRefunds, AtlasRefundsError, ConfigurationError, PollSchedule
from . import Change, ChangeHandler, Policy, Step, Tracked, Tracker, TrackerUnavailableError

DESCRIPTION = """\
Refunds that outlive the process. Without a command it works until it is stopped (SIGINT, SIGTERM).
Credentials and address of Atlas are taken from ATLAS_CLIENT_ID, ATLAS_CLIENT_SECRET and ATLAS_BASE_URL."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m atlas_refunds.tracking",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    url = os.environ.get("ATLAS_TRACKING_URL")
    top.add_argument("--url", default=url, required=url is None, help="sqlite:///FILE or postgresql://USER@HOST/DATABASE"
                     " (default: ATLAS_TRACKING_URL)")  # fmt: skip
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    top.set_defaults(command="work", handler=None, polls_per_second=20, resubmit=False, every=None, json=False)
    work = commands.add_parser("work", help="look at refunds when they are due, and call the handler")
    work.add_argument("--handler", metavar="MODULE:FUNCTION", help="is awaited for each change")
    work.add_argument("--polls-per-second", type=int, default=20, help="of all workers together")
    work.add_argument("--resubmit", action="store_true", help="submit again what Atlas does not know after a while")
    work.add_argument("--every", type=float, metavar="SECONDS", help="poll at this interval, to try it out")
    listing = commands.add_parser("list", help="refunds with their steps, states and ages")
    listing.add_argument("--step", action="append", choices=[step.value for step in Step], default=[])
    listing.add_argument("--failing", action="store_true", help="only where polls or handlers fail")
    show = commands.add_parser("show", help="one refund and its changes")
    check = commands.add_parser("check", help="ask Atlas now")
    check.add_argument("--refund-code", help="follow the refund by this code, which you have learnt elsewhere")
    again = commands.add_parser("submit-again", help="of a refund in review, once you know that it does not exist")
    replay = commands.add_parser("replay", help="have the handler called again")
    replay.add_argument("--change", type=int, metavar="NUMBER", help="default: all that are not handled")
    for command in (show, check, again, replay):
        command.add_argument("key")
    for command in (listing, show, check, again, replay):
        command.add_argument("--json", action="store_true", help="one object per line")
    return top


async def run(given: argparse.Namespace) -> None:
    async with tracker(given) as tracked:
        match given.command:
            case "list":
                steps = [Step(step) for step in given.step]
                async for row in tracked.list(*steps, failing=given.failing):
                    say(given, row)
            case "show":
                row, changes = await tracked.show(given.key)
                say(given, row, *changes)
            case "check":
                say(given, await tracked.check(given.key, refund_code=given.refund_code))
            case "submit-again":
                say(given, await tracked.submit_again(given.key))
            case "replay":
                say(given, *await tracked.replay(given.key, given.change))
            case _:
                await progress(tracked, asyncio.create_task(stopped()))


@asynccontextmanager
async def tracker(given: argparse.Namespace) -> AsyncGenerator[Tracker]:
    schedule = PollSchedule.every(timedelta(seconds=given.every)) if given.every else PollSchedule()
    policy = Policy(schedule=schedule, polls_per_second=given.polls_per_second, resubmit=given.resubmit)
    work, handler = given.command == "work", found(given.handler) if given.handler else None
    async with (
        AtlasRefunds.from_env() as atlas,
        Tracker(atlas, url=given.url, policy=policy, on_change=handler, work=work) as tracked,
    ):
        yield tracked


def found(name: str) -> ChangeHandler:
    """The function that MODULE:FUNCTION names, looked for in the current folder too. Raises ConfigurationError."""
    module, _, function = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        handler: ChangeHandler = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"--handler: {name} cannot be found: {error}") from None
    return handler


async def progress(tracked: Tracker, stopping: "asyncio.Task[None]") -> None:
    """How many refunds are at each step: one line at the start, which on a terminal is kept up to date."""
    is_live, done = sys.stdout.isatty(), False
    while not done:
        with suppress(TrackerUnavailableError):  # the log has said so
            counts = await tracked.counts()
            print(
                f"\r\x1b[Kworking; {counts}" if is_live else f"working; {counts}",
                end="" if is_live else "\n",
                flush=True,
            )
        done = bool((await asyncio.wait([stopping], timeout=2 if is_live else None))[0])


async def stopped() -> None:
    """Until the process is asked to end."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask(*_: object) -> None:
        loop.call_soon_threadsafe(asked.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)  # loop.add_signal_handler does not exist on Windows
    await asked.wait()


def say(given: argparse.Namespace, *records: Tracked | Change) -> None:
    for record in records:
        facts = record.to_json()
        print(json.dumps(facts) if given.json else line(facts), flush=True)


def line(facts: dict[str, Any]) -> str:
    """One record for people: what it is first, then what is known of it."""
    label = facts.pop("id", facts["key"])
    known = [
        f"{name} {value}" for name, value in facts.items() if value not in (None, 0) and name not in ("key", "step")
    ]
    return f"{label:<24} {facts['step']:<9} {', '.join(known)}"


def main() -> int:
    given = parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(run(given))
    except AtlasRefundsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
