"""`Tracker`: what a service awaits, and what a worker runs."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

from atlas_refunds_api.models import RefundPassenger

from ..client import AtlasRefunds
from ..errors import ConfigurationError, InvalidRequestError
from ..notifications import UnverifiedNotification
from ..orders import OrderNo, OrderRef
from ..results import RefundQuote
from ..statuses import PaymentMode
from . import decisions
from .database import Database
from .engine import Engine, Queue, Upkeep
from .intake import check_key, same_refund, subject_for
from .listing import Listing, Wanted
from .notices import Health, HealthListener, Listener, Notices
from .personal import intent_text, subject_of
from .policy import Policy
from .records import Action, Change, Step, Tracked
from .runs import ChangeHandler, Runs, uptime
from .schema import migrate, must_be_current, open_engine
from .store import Decision, Store

T = TypeVar("T")
PAGE: Final = 500
STALLED: Final = 60.0  # seconds
NEVER: Final = datetime.fromtimestamp(0, UTC)


class Tracker:
    """Refunds that outlive the process: `async with Tracker(atlas, url="sqlite:///refunds.db") as tracker: ...`

    `url` is `sqlite:///FILE` for one machine or `postgresql://USER@HOST/DATABASE` for many. On entering, the tables are
    made and brought up to date; with `migrate=False` they have to be. `on_change` is called, and awaited if it is
    async, for each change of each refund, at least once, in order; it needs the same database, not the same process, as
    the submit. With `work=False` this process only submits, hints and lists, and another one works. `on_notice` hears
    of what an operator should know, each notice is logged too; `on_health` hears every 15 s how the refunds stand.
    Refunds belong to an `account`, by default that of `atlas` (client id and address): a tracker looks at those of its
    own. `atlas` stays yours to close, after this. Raises ConfigurationError for settings that cannot work and for a
    database of another release, TrackerUnavailableError when the database cannot be used.
    """

    def __init__(
        self,
        atlas: AtlasRefunds,
        *,
        url: str,
        on_change: ChangeHandler | None = None,
        policy: Policy | None = None,
        work: bool = True,
        migrate: bool = True,
        account: str | None = None,
        on_notice: Listener | None = None,
        on_health: HealthListener | None = None,
    ) -> None:
        if on_change is not None and not callable(on_change):
            raise ConfigurationError("on_change: give a function of one Change")
        self._policy, self._work, self._migrate = policy or Policy(), work, migrate
        self._atlas, self._account = atlas, account
        notices = Notices(on_notice, on_health)
        self._database = database = Database(open_engine(url), notices)
        self._store = store = Store(database.engine, self._policy)
        self._listing = listing = Listing(database.engine)
        self._runs = Runs(atlas, store, listing, database, self._policy, on_change, notices)
        looks = Queue(database, notices, lambda: listing.wait_for_look(self.account), store.claim, self._runs.look)
        queues: list[Queue[Any]] = [looks]
        if on_change is not None:  # who has no handler leaves the changes to those who have
            wait = lambda: listing.wait_for_change(self.account)
            queues.append(Queue(database, notices, wait, store.claim_changes, self._runs.tell))
        self._engine = Engine(
            queues, Upkeep(database, store, lambda: listing.health(self.account), listing.now, notices)
        )
        self._submitting: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._database.enter()
        try:
            self._store.account = self._account or await self._atlas.account()
            await self._database.once(migrate if self._migrate else must_be_current, self._database.engine)
            await self._database.once(self._store.enroll)
        except BaseException:
            await self._close()
            raise
        if self._work:
            self._engine.start()
        return self

    @property
    def account(self) -> str:
        """Whose refunds this tracker works on; known once it is entered."""
        return self._store.account

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self, *, seconds: float | None = None) -> None:
        """Stop. What is under way has so long to end, by default `Policy.leave`; what does not is taken over later.

        May be repeated, and may be cancelled: nothing stays behind.
        """
        self._engine.stop()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._policy.leave.total_seconds() if seconds is None else seconds):
                    while under_way := self._submitting | self._engine.under_way:
                        await asyncio.wait(under_way)
        finally:
            for task in self._submitting | self._engine.under_way:
                task.cancel()
            await self._close()

    async def _close(self) -> None:
        await asyncio.shield(asyncio.to_thread(self._database.close))

    # ---- what a service awaits ----------------------------------------------------------------------------------
    async def submit(
        self,
        what: RefundQuote | OrderRef,
        *,
        key: str,
        offer_id: str | None = None,
        passengers: Iterable[RefundPassenger] | None = None,
        display_currency: str | None = None,
        payment_mode: PaymentMode | None = None,
        even_if_not_refundable: bool = False,
    ) -> Tracked:
        """Submit a refund once for this key, and follow it until it is final: a quote, or an order with the offer id
        and the passengers of its quote.

        The intent is on disk before anything is sent. Returns where the refund stands after that: FOLLOWED, REFUSED
        (see `note`), WAITING (did not reach Atlas, will be sent again) or UNCLEAR (will be looked for). Any further
        call with the same key, by any process, sends nothing and returns where it stands. Cancelling the call does not
        cancel the submit. `key` is 1 to 200 characters and no passenger's name: your own number of this refund.
        Raises InvalidRequestError for what cannot be submitted, and for a key that the refund of another order, other
        passengers or another account has, and TrackerUnavailableError; after both nothing was sent by this call.
        """
        check_key(key)
        subject = subject_for(what, offer_id, passengers, display_currency, even_if_not_refundable)
        order_no = what.order_no if isinstance(what, RefundQuote) else None
        new = Tracked(
            key=key,
            account=self.account,
            order_no=subject.order.order_no if isinstance(subject.order, OrderNo) else order_no,
            step=Step.WAITING,
            intent=intent_text(subject, self._policy),
            subject=subject_of(subject),
            payment_mode=payment_mode,
            created_at=NEVER,
            changed_at=NEVER,
            look_at=NEVER,
        )
        by, began = uuid4().hex, uptime()
        row, fresh = await self._database.once(self._store.insert, new, by)
        if not fresh:
            same_refund(row, new)
            return row
        if row.step is Step.WAITING:  # the database was restored: it may have been sent before
            return await self._shielded(self._runs.look(row, by, row.created_at))
        return await self._shielded(self._runs.submit(row, by, began))

    async def notify(self, event: UnverifiedNotification) -> list[str]:
        """Look at the refunds that a webhook speaks of, soon; the event itself is not believed.

        Returns their keys: none for other events and for orders with no open refund here. May be repeated; a flood of
        events is reads and one look per `Policy.hint_pause`. Raises TrackerUnavailableError.
        """
        if not event.is_refund or event.order_no is None:
            return []
        rows = await self._database.once(self._listing.open_of, event.order_no, self.account)
        now = await self._database.once(self._listing.now) if rows else NEVER
        closer = [row.key for row in rows if decisions.woken(row, now, self._policy) != row]
        if closer:
            await self._database.once(self._store.wake, closer)
            self._engine.stir()
        return [row.key for row in rows]

    async def find(self, key: str) -> Tracked | None:
        """The refund under this key, if one is tracked. A refund that exists cannot be quoted again: ask this first.

        Raises TrackerUnavailableError.
        """
        return await self._database.once(self._listing.find, key)

    # ---- operations ---------------------------------------------------------------------------------------------
    async def show(self, key: str) -> tuple[Tracked, list[Change]]:
        """One refund and its changes. Raises InvalidRequestError for an unknown key, TrackerUnavailableError."""
        return await self._database.once(self._listing.get, key)

    async def list(self, *steps: Step, failing: bool = False, order_no: str | None = None) -> AsyncGenerator[Tracked]:
        """All refunds at these steps (none given: at any), by key; `failing`: those whose polls or handlers fail."""
        wanted, after = Wanted(steps=steps, failing=failing, order_no=order_no), ""
        while True:
            page = await self._database.once(self._listing.page, wanted, after, PAGE)
            for row in page:
                yield row
            if len(page) < PAGE:
                return
            after = page[-1].key

    async def counts(self) -> dict[str, int]:
        """How many refunds are at each step. Raises TrackerUnavailableError."""
        return await self._database.once(self._listing.counts)

    async def health(self) -> Health:
        """How this account's refunds stand. Raises TrackerUnavailableError."""
        return await self._database.once(self._listing.health, self.account)

    @property
    def is_working(self) -> bool:
        """Whether this worker looked for due work within the last minute; False while its database is away."""
        return self._work and self._engine.idle_for < STALLED

    async def actions(self, key: str) -> Sequence[Action]:
        """What persons did about this refund, also when it is purged. Raises TrackerUnavailableError."""
        return await self._database.once(self._listing.actions, key)

    async def check(
        self, key: str, *, refund_code: str | None = None, by: str | None = None, reason: str | None = None
    ) -> Tracked:
        """Ask Atlas now, in this process, and return where the refund stands; a refund in REVIEW is looked for again.

        When a worker is at it at this moment, that worker's answer counts, and this returns at once.
        Give `refund_code` where you have learnt it elsewhere: once Atlas has confirmed it the refund is followed by it,
        also in place of a code whose polls fail. `by` and `reason` are kept. Raises InvalidRequestError for an unknown
        key, another account and a code that Atlas does not have for this order, for a code what `AtlasRefunds.get`
        raises, and TrackerUnavailableError. May be repeated.
        """
        if refund_code is None:
            return await self._looked(key, decisions.rechecked)
        row, _ = await self.show(key)
        asked = await self._database.once(self._listing.now)
        state = await self._runs.named(row, refund_code)
        if state.refund_code != refund_code:
            raise InvalidRequestError("check: Atlas has no refund of this code for the order")
        action = Action(at=asked, key=key, what=f"refund code {refund_code}", by=by, reason=reason)

        def decide(row: Tracked, now: datetime) -> Tracked:
            return decisions.named(row, state, asked, now, self._policy)

        return await self._database.once(self._store.change, key, decide, action, state)

    async def submit_again(self, key: str, *, by: str | None = None, reason: str | None = None) -> Tracked:
        """Submit a refund in REVIEW once more: you have made sure that it does not exist. `by` and `reason` are kept.

        Raises InvalidRequestError for an unknown key, another account and when the refund is not in REVIEW or has no
        intent any more, TrackerUnavailableError.
        """
        return await self._looked(key, decisions.resubmitted, "submit again", by, reason)

    async def forget(self, key: str, *, by: str | None = None, reason: str | None = None) -> Tracked:
        """Delete what names the passengers of a refund. The key stays, so that it is not submitted again.

        Raises InvalidRequestError for an unknown key and while the names are needed, TrackerUnavailableError.
        """
        action = Action(at=NEVER, key=key, what="forget", by=by, reason=reason)
        return await self._database.once(self._store.change, key, decisions.forgotten, action)

    async def replay(self, key: str, number: int | None = None) -> Sequence[Change]:
        """Have the handler called again: for change `number`, or for all that are not handled yet.

        A worker with a handler calls it, soon. Returns these changes. Raises InvalidRequestError for an unknown key or
        number, TrackerUnavailableError.
        """
        changes = await self._database.once(self._store.replay, key, number)
        self._engine.stir()
        return changes

    async def _looked(
        self, key: str, decide: Decision, what: str | None = None, by: str | None = None, reason: str | None = None
    ) -> Tracked:
        """What a person decided, and the look that follows from it."""
        action = Action(at=NEVER, key=key, what=what, by=by, reason=reason) if what else None
        await self._database.once(self._store.change, key, decide, action)
        run = uuid4().hex
        taken = await self._database.once(self._store.take, key, run)
        if taken is None:
            return (await self.show(key))[0]
        return await self._shielded(self._runs.look(taken[0], run, taken[1]))

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        """A caller that is cancelled leaves, the work goes on."""
        task = asyncio.create_task(work)
        self._submitting.add(task)
        task.add_done_callback(self._submitting.discard)
        try:
            return await asyncio.shield(task)
        finally:
            self._engine.stir()
