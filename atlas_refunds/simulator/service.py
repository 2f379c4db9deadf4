"""The service without HTTP: credentials and bytes in, a body out."""

from collections.abc import Mapping
from typing import Literal, get_args

from . import answers, requests, rules
from .clock import Clock
from .codes import Refused
from .ledger import Ledger, Offer
from .requests import VOID, Json, Request
from .scenarios import SCENARIOS, Occasion, Operation, Scenario

CLIENT_ID = "simulator"
CLIENT_SECRET = "simulator-secret"  # noqa: S105 - published on purpose

QueryWithoutCode = Literal["refuse", "list"]
QUERY_WITHOUT_CODE: tuple[QueryWithoutCode, ...] = get_args(QueryWithoutCode)
"""What the service does about a query without refundCode is not known: today's page wants one, older versions listed
all refunds of the order."""

_PARSERS = {"quote": requests.parse_quote, "submit": requests.parse_submit, "query": requests.parse_query}


class Service:
    """Checks in the order: credentials, shape, order, state of the order, passengers, segments, rules, duplicates."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        scenarios: Mapping[str, Scenario] = SCENARIOS,
        seed: str = "atlas",
        query_without_code: QueryWithoutCode = "refuse",
        accept_duplicates: bool = False,
    ) -> None:
        """`accept_duplicates` executes every submit, to find out a caller who submits twice; quotes still say 803."""
        self.clock = clock or Clock()
        self.scenarios = scenarios
        self._credentials = (client_id, client_secret)
        self._seed = seed
        self._first_query_without_code = self.query_without_code = query_without_code
        self._accept_duplicates = accept_duplicates
        self._operations = {"quote": self._quote, "submit": self._submit, "query": self._query}
        self.ledger = Ledger(seed)

    def reset(self) -> None:
        """As just started: nothing quoted, nothing submitted, the clock at its start."""
        self.ledger = Ledger(self._seed)
        self.clock.reset()
        self.query_without_code = self._first_query_without_code

    def answer(self, operation: Operation, credentials: tuple[str | None, str | None], raw: bytes) -> Json:
        try:
            if credentials != self._credentials:
                raise Refused(900)
            request = _PARSERS[operation](requests.decode(raw))
            if operation == "query" and request.refund_code is None and self.query_without_code == "refuse":
                raise Refused(810, "refundCode is required")
            scenario = rules.find_order(self.scenarios, request.order)
            self._check_quirks(operation, scenario)
            return self._operations[operation](scenario, request)
        except Refused as refused:
            return answers.error(refused.code, refused.message)

    def _quote(self, scenario: Scenario, request: Request) -> Json:
        offer = self._new_offer(scenario, request)
        self._check_passengers(offer, duplicate=803)
        lifecycle = scenario.lifecycle(len(self.ledger.refunds(scenario.order_no)))
        return answers.quote(offer, lifecycle, self.clock.now(), request.display_currency)

    def _submit(self, scenario: Scenario, request: Request) -> Json:
        offer = (
            self._known_offer(scenario, request.offer_id) if request.offer_id else self._new_offer(scenario, request)
        )
        if offer.reason == VOID:
            self._check_quirks("void", scenario)
            rules.check_void(scenario, offer.passengers)
        if not self._accept_duplicates:
            self._check_passengers(offer, duplicate=816 if request.offer_id else 803)
        now = self.clock.now()
        return answers.submitted(self.ledger.add_refund(offer, now), now, request.display_currency)

    def _query(self, scenario: Scenario, request: Request) -> Json:
        refunds = [
            refund for refund in self.ledger.refunds(scenario.order_no) if request.refund_code in {refund.code, None}
        ]
        return answers.queried(refunds, self.clock.now(), request.display_currency)

    def _new_offer(self, scenario: Scenario, request: Request) -> Offer:
        passengers = rules.match_passengers(scenario, request.passengers)
        rules.check_segments(scenario, request.passengers)
        return self.ledger.add_offer(scenario, passengers, rules.reason_of(request.passengers), self.clock.uptime())

    def _known_offer(self, scenario: Scenario, offer_id: str) -> Offer:
        offer = self.ledger.valid_offer(offer_id, scenario.order_no, self.clock.uptime())
        if offer is None:
            raise Refused(805)
        return offer

    def _check_passengers(self, offer: Offer, *, duplicate: int) -> None:
        """A used offer stays used, even after its refund was rejected."""
        blocked = self.ledger.blocked(offer.scenario.order_no, self.clock.now())
        rules.check_child(offer.scenario, offer.passengers, blocked)
        if self.ledger.used(offer) or not blocked.isdisjoint(offer.passengers):
            raise Refused(duplicate)

    def _check_quirks(self, occasion: Occasion, scenario: Scenario) -> None:
        for quirk in scenario.quirks:
            if occasion in quirk.on and self.ledger.in_window(scenario.order_no, quirk, self.clock.uptime()):
                raise Refused(quirk.code)
