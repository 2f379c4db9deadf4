"""What was published, against the corrected specification as JSON Schema; the generator takes no part."""

from typing import Any

import pytest

from .evidence import LEGACY, OPERATIONS, SAMPLES, Sample, corrected, fields, merged, schema_errors

AMOUNTS = ("Amount", "Fee", "Fare", "ForFare", "ForAncillaries")


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.file not in LEGACY], ids=lambda s: s.file)
def test_todays_form_is_valid(sample: Sample) -> None:
    assert schema_errors(corrected(), sample.pointer, sample.value) == set()


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.file in LEGACY], ids=lambda s: s.file)
def test_the_form_of_2022_differs_in_what_is_listed(sample: Sample) -> None:
    assert schema_errors(corrected(), sample.pointer, sample.value) == LEGACY[sample.file]


def test_the_published_schema_contradicts_the_published_samples() -> None:
    """So this check can see; what is corrected is listed in the overlays."""
    valid = [s.file for s in SAMPLES if s.role != "event" and not schema_errors(merged(), s.pointer, s.value)]
    assert valid == ["reference-2025.submit.request.json", "reference-2025.query.request.json"]


def answer_to(operation: str) -> Sample:
    return Sample("", "", 0, operation, "response")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("answer", [{"status": 801, "msg": "x"}, {"status": 2, "msg": None}, {"status": -1}])
def test_an_error_has_a_status_only(operation: str, answer: dict[str, Any]) -> None:
    assert schema_errors(corrected(), answer_to(operation).pointer, answer) == set()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"status": 0}, "/: not"),
        ({"status": 0, "msg": "success"}, "/: not"),
        ({}, "/: 'status' is a required property"),
        ({"status": "801"}, "/status: type"),
    ],
)
def test_a_success_promises_more(operation: str, answer: dict[str, Any], problem: str) -> None:
    assert problem in schema_errors(corrected(), answer_to(operation).pointer, answer)


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.role == "response" and s.file not in LEGACY], ids=lambda s: s.file
)
def test_a_success_lacks_nothing_that_was_promised(sample: Sample) -> None:
    """Each member that the page requires is still required on success, and no other."""
    promised = {name for name in sample.value if is_invalid_without(sample, name)}
    schema = published_answer(sample.operation)
    assert promised == set(schema["required"]) | {"status"}


def is_invalid_without(sample: Sample, name: str) -> bool:
    rest = {key: value for key, value in sample.value.items() if key != name}
    return bool(schema_errors(corrected(), sample.pointer, rest))


def published_answer(operation: str) -> Any:
    schema = merged()["paths"][operation]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        return merged()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def test_amounts_are_numbers() -> None:
    """Only a number becomes a Decimal. The two texts have a currency in them ("0.00 USD")."""
    money = [(name, field, s.get("type")) for name, field, s in fields(corrected()) if field.endswith(AMOUNTS)]
    texts = {f"{name}.{field}" for name, field, kind in money if kind == "string"}
    assert texts == {"RefundRule.penaltyAmount", "RefundRule.airlineFee"}
    assert {kind for _, _, kind in money} == {"string", "number", None}  # None: a reference to an object of amounts
