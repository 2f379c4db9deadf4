"""`Tracker`: what a service awaits, and what a worker runs."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

from ..calls import submission
from ..client import AtlasRefunds
from ..errors import InvalidRequestError
from ..notifications import UnverifiedNotification
from ..orders import OrderNo
from ..results import RefundQuote
from ..statuses import PaymentMode
from . import decisions
from .database import Database
from .engine import Engine
from .intents import intent_text
from .keeping import Keeper
from .listing import Listing
from .notices import Listener, Notices
from .policy import Policy
from .records import Change, Step, Tracked
from .runs import ChangeHandler, Runs
from .schema import migrate, open_engine
from .store import Decision, Store

T = TypeVar("T")
LONGEST_KEY: Final = 200
PAGE: Final = 500


class Tracker:
    """Refunds that outlive the process: `async with Tracker(atlas, url="sqlite:///refunds.db") as tracker: ...`

    `url` is `sqlite:///FILE` for one machine or `postgresql://USER@HOST/DATABASE` for many; the tables are made and
    brought up to date on entering. `on_change` is awaited for each change of each refund, at least once, in order; it
    needs the same database, not the same process, as the submit. With `work=False` this process only submits, hints
    and lists, and another one works. `on_notice` hears of what an operator should know; each notice is logged too.
    `atlas` stays yours to close, after this. Raises ConfigurationError for settings that cannot work and for a database
    that a newer release has been at, TrackerUnavailableError when the database cannot be reached.
    """

    def __init__(
        self,
        atlas: AtlasRefunds,
        *,
        url: str,
        on_change: ChangeHandler | None = None,
        policy: Policy | None = None,
        work: bool = True,
        on_notice: Listener | None = None,
    ) -> None:
        self._policy, self._work = policy or Policy(), work
        notices = Notices(on_notice)
        self._database = Database(open_engine(url), notices)
        self._engine = Engine(self._database.engine)
        self._store = Store(self._database.engine, self._policy, self._engine.enqueue)
        self._runs = Runs(atlas, self._store, self._database, self._policy, on_change, notices)
        self._listing = Listing(self._database.engine)
        self._keeper = Keeper(self._store, self._listing, self._engine, self._database, self._policy, notices)
        self._keeping: asyncio.Task[None] | None = None
        self._submitting: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        try:
            await self._database.once(migrate, self._database.engine)
            await self._database.once(self._engine.migrate)
            if self._work:
                with self._database.needed():
                    await self._engine.start(self._runs.look, self._policy.polls_per_second)
                self._keeping = asyncio.create_task(self._keeper.keep())
        except BaseException:
            await self.aclose(seconds=0)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self, *, seconds: int = 10) -> None:
        """Stop. Looks and submits under way have so many seconds to end; what does not is taken over later."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self._submitting:
            await asyncio.wait(self._submitting, timeout=seconds)
        await asyncio.to_thread(self._engine.stop, seconds)
        await asyncio.to_thread(self._engine.close)
        await asyncio.to_thread(self._database.close)

    # ---- what a service awaits ----------------------------------------------------------------------------------
    async def submit(
        self,
        quote: RefundQuote,
        *,
        key: str,
        payment_mode: PaymentMode | None = None,
        even_if_not_refundable: bool = False,
    ) -> Tracked:
        """Submit a refund once for this key, and follow it until it is final.

        The intent is on disk before anything is sent. Returns where the refund stands after that: FOLLOWED, REFUSED
        (see `note`), WAITING (did not reach Atlas, will be sent again) or UNCLEAR (will be looked for). Any further
        call with the same key, by any process, sends nothing and returns where it stands. Cancelling the call does not
        cancel the submit. `key` is 1 to 200 characters and no passenger's name: your own number of this refund.
        Raises InvalidRequestError for what cannot be submitted, and for a key that another order's refund has, and
        TrackerUnavailableError; after both nothing was sent by this call.
        """
        if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY or "\x00" in key:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidRequestError("key: give 1 to 200 characters, your own number of this refund")
        subject = submission(
            quote,
            offer_id=None,
            passengers=None,
            display_currency=None,
            even_if_not_refundable=even_if_not_refundable,
        )
        order_no = subject.order.order_no if isinstance(subject.order, OrderNo) else quote.order_no
        new = Tracked(
            key=key,
            order_no=order_no,
            step=Step.WAITING,
            intent=intent_text(subject),
            payment_mode=payment_mode,
            created_at=0,
            changed_at=0,
            look_at=0,
        )
        by, began = uuid4().hex, time.monotonic()
        row, fresh = await self._database.once(self._store.insert, new, by)
        if fresh:
            return await self._shielded(self._runs.submit(row, by, began))
        if order_no != row.order_no:
            raise InvalidRequestError("key: a refund of another order is tracked under this key")
        return row

    async def notify(self, event: UnverifiedNotification) -> list[str]:
        """Look at the refunds that a webhook speaks of, soon; the event itself is not believed.

        Returns their keys: none for other events and for orders with no open refund here. May be repeated; a flood of
        events is one look per `Policy.hint_pause`. Raises TrackerUnavailableError.
        """
        if not event.is_refund or event.order_no is None:
            return []
        return [row.key for row in await self._database.once(self._store.wake, event.order_no)]

    async def find(self, key: str) -> Tracked | None:
        """The refund under this key, if one is tracked. A refund that exists cannot be quoted again: ask this first.

        Raises TrackerUnavailableError.
        """
        return await self._database.once(self._listing.find, key)

    # ---- operations ---------------------------------------------------------------------------------------------
    async def show(self, key: str) -> tuple[Tracked, list[Change]]:
        """One refund and its changes. Raises InvalidRequestError for an unknown key, TrackerUnavailableError."""
        return await self._database.once(self._listing.get, key)

    async def list(self, *steps: Step, failing: bool = False) -> AsyncGenerator[Tracked]:
        """All refunds at these steps (none given: at any), by key; `failing`: those whose polls or handlers fail."""
        after = ""
        while True:
            page = await self._database.once(self._listing.page, steps=steps, failing=failing, after=after, limit=PAGE)
            for row in page:
                yield row
            if len(page) < PAGE:
                return
            after = page[-1].key

    async def counts(self) -> dict[str, int]:
        """How many refunds are at each step. Raises TrackerUnavailableError."""
        return await self._database.once(self._listing.counts)

    async def check(self, key: str, *, refund_code: str | None = None) -> Tracked:
        """Ask Atlas now, in this process, and return where the refund stands; a refund in REVIEW is looked for again.

        When a worker is at it at this moment, that worker asks once more instead, after this has returned.
        Give `refund_code` where you have learnt it elsewhere: the refund is followed by it. Raises InvalidRequestError
        for an unknown key, TrackerUnavailableError. May be repeated.
        """

        return await self._looked(key, lambda row, now: decisions.rechecked(row, refund_code, now, self._policy))

    async def submit_again(self, key: str) -> Tracked:
        """Submit a refund in REVIEW once more: you have made sure that it does not exist.

        Raises InvalidRequestError for an unknown key and when the refund is not in REVIEW or has no intent any more,
        TrackerUnavailableError.
        """
        return await self._looked(key, decisions.resubmitted)

    async def replay(self, key: str, number: int | None = None) -> Sequence[Change]:
        """Have the handler called again: for change `number`, or for all that are not handled yet.

        A worker calls it, soon. Returns these changes. Raises InvalidRequestError for an unknown key,
        TrackerUnavailableError.
        """
        return await self._database.once(self._store.replay, key, number)

    async def _looked(self, key: str, decide: Decision) -> Tracked:
        """What a person decided, and the look that follows from it."""
        await self._database.once(self._store.change, key, decide)
        await self._shielded(self._runs.look(key, None))
        return (await self.show(key))[0]

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        """A caller that is cancelled leaves, the work goes on."""
        task = asyncio.create_task(work)
        self._submitting.add(task)
        task.add_done_callback(self._submitting.discard)
        return await asyncio.shield(task)
