"""The names that users write."""

import inspect

import pytest

import atlas_refunds
from atlas_refunds import AtlasRefunds, AtlasRefundsError, PollSchedule, Refund, RefundState, RefundToken

FIXED = """
    AtlasRefunds Credentials SANDBOX_URL OrderNo AirlinePnr order_ref RefundPassenger RefundSegment
    RefundStatus RefundReason RefundMethod QuoteType RuleType PassengerType RetryPolicy PollSchedule RefundToken
    parse_notification AtlasRefundsError InvalidRequestError InvalidOrderRef NotSentError OutcomeUnknownError
    BadResponseError ApiError AuthenticationError RateLimitedError ServerError NotReadyError QuoteExpiredError
    AlreadySubmittedError SubmissionInProgressError NotRefundableError InvalidRequestRejected WaitTimeoutError
    RefundNotCompletedError RefundNotFoundError NotificationError
""".split()  # noqa: SIM905
API_ERRORS = """
    AuthenticationError RateLimitedError ServerError NotReadyError QuoteExpiredError AlreadySubmittedError
    SubmissionInProgressError NotRefundableError InvalidRequestRejected
""".split()  # noqa: SIM905


def test_every_fixed_name_is_there() -> None:
    assert [name for name in FIXED if name not in atlas_refunds.__all__] == []


def test_the_list_is_sorted_constants_first_then_classes_then_the_rest() -> None:
    names = list(atlas_refunds.__all__)
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_the_list_is_what_can_be_imported() -> None:
    public = {
        name
        for name in vars(atlas_refunds)
        if not name.startswith("_") and not inspect.ismodule(vars(atlas_refunds)[name])
    }
    assert public | atlas_refunds._FOR_WEBHOOKS.keys() | {"__version__"} == set(atlas_refunds.__all__)


def test_completion_knows_what_is_loaded_when_it_is_asked_for() -> None:
    assert set(atlas_refunds.__all__) <= set(dir(atlas_refunds))


def test_what_is_not_there_is_an_error_as_usual() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        atlas_refunds.nothing  # noqa: B018


@pytest.mark.parametrize("name", atlas_refunds.__all__)
def test_each_name_says_what_it_is(name: str) -> None:
    thing = getattr(atlas_refunds, name)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert thing.__doc__
        assert thing.__module__.partition(".")[0] in ("atlas_refunds", "atlas_refunds_api")


def test_the_tree_of_errors() -> None:
    for name in API_ERRORS:
        assert issubclass(getattr(atlas_refunds, name), atlas_refunds.ApiError)
    for name in (name for name in atlas_refunds.__all__ if name.endswith(("Error", "Rejected", "InvalidOrderRef"))):
        assert issubclass(getattr(atlas_refunds, name), AtlasRefundsError)
    assert issubclass(atlas_refunds.InvalidOrderRef, atlas_refunds.InvalidRequestError)


def test_the_methods_of_the_client() -> None:
    for name in ("quote", "submit", "get", "query", "wait", "reconcile", "confirm", "aclose"):
        assert inspect.iscoroutinefunction(getattr(AtlasRefunds, name))
        assert getattr(AtlasRefunds, name).__doc__
    assert isinstance(inspect.getattr_static(AtlasRefunds, "from_env"), classmethod)
    assert inspect.signature(AtlasRefunds).parameters["http_client"].default is None
    assert {"token", "is_final", "is_refunded"} <= set(dir(Refund)) & set(dir(RefundState))
    assert callable(RefundToken.parse)
    assert callable(PollSchedule.every)
