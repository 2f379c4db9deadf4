"""`python -m atlas_refunds.tracking`: a worker, and what an operator asks of the tracked refunds."""

import argparse
import asyncio
import getpass
import importlib
import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from .. import AtlasRefunds, AtlasRefundsError, ConfigurationError, PollSchedule
from . import Action, Change, ChangeHandler, Policy, Step, Tracked, Tracker, TrackerUnavailableError, decisions, schema
from .database import reason
from .listing import Listing, Wanted
from .store import Store

DESCRIPTION = """\
Refunds that outlive the process. `work`, `check` and `submit-again` ask Atlas and need ATLAS_CLIENT_ID,
ATLAS_CLIENT_SECRET and ATLAS_BASE_URL; the others need the database alone, and those that read change nothing."""
HEARTBEAT = 10.0  # seconds


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m atlas_refunds.tracking",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    url = os.environ.get("ATLAS_TRACKING_URL")
    top.add_argument("--url", default=url, help="sqlite:///FILE or postgresql://USER@HOST/DATABASE"
                     " (default: ATLAS_TRACKING_URL)")  # fmt: skip
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, does: str, *, key: bool = False, acts: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=does, description=does)
        if key:
            made.add_argument("key")
        if acts:
            made.add_argument("--by", default=getpass.getuser(), help="who decides (default: who you are here)")
            made.add_argument("--reason", help="why; both are kept")
        made.add_argument("--json", action="store_true", help="one object per line")
        return made

    work = command("work", "look at refunds when they are due, and call the handler")
    work.add_argument("--handler", metavar="MODULE:FUNCTION", help="is called for each change; without it nobody is")
    work.add_argument("--polls-per-second", type=int, default=20, help="of all workers of the account together")
    work.add_argument("--resubmit", action="store_true", help="submit again what Atlas does not know after a while")
    work.add_argument("--every", type=float, metavar="SECONDS", help="poll at this interval, to try it out")
    work.add_argument("--heartbeat", type=Path, metavar="FILE", help="is touched every 10 s while all is well")
    work.add_argument("--no-migrate", action="store_true", help="the tables are there; needs no right to make them")
    listing = command("list", "refunds with their steps, states and ages")
    listing.add_argument("--step", action="append", choices=[step.value for step in Step], default=[])
    listing.add_argument("--failing", action="store_true", help="only where polls or handlers fail")
    listing.add_argument("--order", metavar="NUMBER", help="only refunds of this order")
    command("counts", "how many refunds are at each step")
    command("show", "one refund, its changes, and what persons did", key=True)
    check = command("check", "ask Atlas now", key=True, acts=True)
    again = command("submit-again", "of a refund in review, once you know that it does not exist", key=True, acts=True)
    for asking in (work, check, again):
        asking.add_argument("--account", help="whose refunds (default: client id and address)")
    check.add_argument("--refund-code", help="follow the refund by this code, which you have learnt elsewhere")
    replay = command("replay", "have the handler called again", key=True)
    replay.add_argument("--change", type=int, metavar="NUMBER", help="default: all that are not handled")
    command("forget", "delete what names the passengers of a refund", key=True, acts=True)
    command("after-restore", "the database was restored: look for all that may have been sent since", acts=True)
    command("migrate", "make the tables, or bring them up to date")
    return top


# ---- commands that need the database alone ---------------------------------------------------------------------------
def database_only(given: argparse.Namespace) -> None:
    reads = given.command in ("list", "counts", "show")
    engine = schema.open_engine(given.url, connections=1, read_only=given.command != "migrate")
    try:
        if given.command == "migrate":
            schema.migrate(engine)
            return
        schema.must_be_current(engine)
        if not reads:
            engine.dispose()
            engine = schema.open_engine(given.url, connections=1)
        (read if reads else change)(given, engine)
    except exc.SQLAlchemyError as error:
        if (why := reason(error)) is None:
            raise
        raise TrackerUnavailableError(f"the tracking database cannot be used now: {why}") from None
    finally:
        engine.dispose()


def read(given: argparse.Namespace, engine: sa.Engine) -> None:
    listing = Listing(engine)
    if given.command == "show":
        row, changes = listing.get(given.key)
        say(given, row, *changes, *listing.actions(given.key))
    elif given.command == "counts":
        print(json.dumps(listing.counts()))
    else:
        steps, after = [Step(step) for step in given.step], ""
        wanted = Wanted(steps=steps, failing=given.failing, order_no=given.order)
        while page := listing.page(wanted, after):
            say(given, *page)
            after = page[-1].key


def change(given: argparse.Namespace, engine: sa.Engine) -> None:
    store = Store(engine, Policy())
    if given.command == "replay":
        say(given, *store.replay(given.key, given.change))
        return
    action = Action(at=datetime.now(UTC), key=getattr(given, "key", None), what=given.command, by=given.by,
                    reason=given.reason)  # fmt: skip
    if given.command == "forget":
        say(given, store.change(given.key, decisions.forgotten, action))
    else:
        print(f"{store.restored(action)} refunds are looked for before anything is sent")


# ---- commands that ask Atlas -----------------------------------------------------------------------------------------
async def run(given: argparse.Namespace) -> None:
    """Any command."""
    if given.url is None:
        raise ConfigurationError("--url: give the database, or set ATLAS_TRACKING_URL")
    if given.command not in ("work", "check", "submit-again"):
        await asyncio.to_thread(database_only, given)
        return
    async with AtlasRefunds.from_env() as atlas:
        if given.command == "work":
            await work(given, atlas)
            return
        async with Tracker(atlas, url=given.url, work=False, migrate=False, account=given.account) as tracker:
            if given.command == "check":
                done = await tracker.check(given.key, refund_code=given.refund_code, by=given.by, reason=given.reason)
            else:
                done = await tracker.submit_again(given.key, by=given.by, reason=given.reason)
            say(given, done)


async def work(given: argparse.Namespace, atlas: AtlasRefunds) -> None:
    schedule = PollSchedule.every(timedelta(seconds=given.every)) if given.every else PollSchedule()
    policy = Policy(schedule=schedule, polls_per_second=given.polls_per_second, resubmit=given.resubmit)
    async with Tracker(
        atlas,
        url=given.url,
        policy=policy,
        on_change=found(given.handler) if given.handler else None,
        migrate=not given.no_migrate,
        account=given.account,
    ) as tracker:
        print(f"working for {tracker.account}; {await tracker.counts()}", flush=True)
        stopping = asyncio.create_task(stopped())
        while not stopping.done():
            if given.heartbeat is not None and tracker.is_working:
                given.heartbeat.touch()
            await asyncio.wait([stopping], timeout=HEARTBEAT)


def found(name: str) -> ChangeHandler:
    """The function that MODULE:FUNCTION names, looked for in the current folder too. Raises ConfigurationError."""
    module, _, function = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        handler: ChangeHandler = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"--handler: {name} cannot be found: {error}") from None
    return handler


async def stopped() -> None:
    """Until the process is asked to end."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask(*_: object) -> None:
        loop.call_soon_threadsafe(asked.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)  # loop.add_signal_handler does not exist on Windows
    await asked.wait()


# ---- what is shown ---------------------------------------------------------------------------------------------------
def say(given: argparse.Namespace, *records: Tracked | Change | Action) -> None:
    for record in records:
        facts = record.to_json()
        print(json.dumps(facts) if given.json else line(facts), flush=True)


def line(facts: dict[str, Any]) -> str:
    """One record for people: what it is first, then what is known of it."""
    label, what = facts.pop("id", facts["key"]) or "all refunds", facts.get("step") or facts.get("what")
    left_out = ("key", "step", "what", "account", "token", "state", "number")
    known = [f"{name} {value}" for name, value in facts.items() if value not in (None, 0) and name not in left_out]
    return f"{label:<24} {what:<9} {', '.join(known)}"


def main() -> int:
    given = parser().parse_args()
    if given.command is None:
        parser().print_help()
        return 2
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
