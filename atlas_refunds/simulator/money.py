"""Amounts: Decimal inside, JSON numbers outside, and a small fixed table of display currencies."""

from decimal import Decimal

CURRENCY = "USD"
"""What every order was paid in."""

RATES = {
    "USD": Decimal(1),
    "EUR": Decimal("0.92736"),  # the rate behind the published samples
    "GBP": Decimal("0.79"),
    "CNY": Decimal("7.2"),
    "SGD": Decimal("1.35"),
    "JPY": Decimal(150),
}

_CENT = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT)


def displayed(amount: Decimal, currency: str | None) -> Decimal | None:
    return None if currency is None else rounded(amount * RATES[currency])


def text(amount: Decimal) -> str:
    """Penalties and airline fees are text with a currency."""
    return f"{rounded(amount)} {CURRENCY}"


def json_number(amount: object) -> int | float:
    """For `json.dumps(default=...)`. The shortest form of a float with two decimals is exact."""
    if not isinstance(amount, Decimal):
        raise TypeError(f"{type(amount).__name__} is not a JSON value")
    return int(amount) if amount == amount.to_integral_value() else float(amount)
