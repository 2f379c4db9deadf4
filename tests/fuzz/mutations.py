"""Published bodies, changed in structure and in bytes, by a seed."""

import json
from pathlib import Path
from random import Random
from typing import Any

SAMPLES = Path(__file__).parents[2] / "openapi" / "samples"
ERRORS: list[Any] = [
    {"status": 801, "msg": "orderNo not found"},
    {"status": -1, "msg": None, "data": None},
    {"code": 429, "message": "too many", "limitType": "qps", "limit": 5, "retryAfter": 3},
    {"status": 0, "refundCode": "202505-0012", "refundStatus": 0},
    {"status": 0, "refundOrders": []},
]
LONGEST = 100_000


class Token(str):
    """Something that is written as it stands."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """An object in which a member may stand twice."""


def loaded(text: str) -> Any:
    return json.loads(text, parse_float=Token, parse_int=Token, parse_constant=Token, object_pairs_hook=Members)


def dumped(value: Any) -> str:
    if isinstance(value, Token):
        return value
    if isinstance(value, Members):
        return "{" + ",".join(f"{json.dumps(key)}:{dumped(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumped, value)) + "]"
    return json.dumps(value)


PUBLISHED = {path.name: path.read_text("utf-8") for path in sorted(SAMPLES.glob("*.json")) if path.name != "index.json"}
SEEDS = [*PUBLISHED.values(), *map(json.dumps, ERRORS)]
TREES = [loaded(text) for text in SEEDS]
FITTING = {
    kind: [loaded(text) for name, text in PUBLISHED.items() if kind in name and "request" not in name]
    for kind in ("quote", "submit", "query", "webhook")
}
NAMES = sorted({key for tree in TREES for key, _ in tree})
TOKENS = (
    *(
        "0",
        "1",
        "2",
        "-1",
        "0.0",
        "-0",
        "7",
        "803",
        "9999",
        "0.1",
        "165.48",
        "1e2",
        "1E+99",
        "1e100",
        "1e-101",
        "1e999999",
    ),
    *(
        "1e9999999999999999999",
        "NaN",
        "-Infinity",
        "9223372036854775807",
        "9223372036854775808",
        "9" * 101,
        "9" * 5_000,
    ),
    *("0." + "1" * 60, "1." + "0" * 3_000, "20250522", "19991301", "00", "1.", ".5", "+1"),
)
TEXTS = (
    *(
        "",
        " ",
        "0",
        "2",
        "true",
        "165.48",
        " 12 ",
        "+1.5E2",
        "12,50",
        "1_000",
        "NaN",
        "Infinity",
        "1e999999",
        "9" * 5_000,
    ),
    *(
        "１２",
        "20250522",
        "2025-05-22",
        "20251345",
        "ZHAO/YIER",
        "a\nb",
        "\x1b[31m",
        "\x00",
        "\ud800",
        "é" * 200,
        "x" * 2_000,
    ),
    *(
        "EUR",
        "VOUCHER",
        "order.refundComplete",
        "ORDER.REFUNDCOMPLETED",
        "TESTA20250512100600259",
        "202505-0012",
        "0" * 65,
    ),
)


class Mutator:
    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311  (repeatable, not secret)

    def body(self, kind: str) -> bytes:
        """One body, most often of its kind: usually of changed structure, sometimes with changed bytes or both."""
        dice = self.dice
        what = dice.random()
        if what < 0.25:
            return self.in_bytes(dice.choice(SEEDS).encode())
        tree = dice.choice(FITTING[kind] if what < 0.9 else TREES)
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            tree = self.in_structure(tree)
        text = dumped(tree)
        content = text[: LONGEST * 2].encode("utf-8", "surrogatepass")
        return self.in_bytes(content) if what > 0.9 else content

    # ---- structure ---------------------------------------------------------------------------------------------------
    def in_structure(self, value: Any) -> Any:
        """A copy with one place changed; objects and lists are gone into at random."""
        dice = self.dice
        if isinstance(value, list) and value and dice.random() < 0.95:
            copy = type(value)(value)
            index = dice.randrange(len(copy))
            if not isinstance(value, Members):
                copy[index] = self.in_structure(copy[index])
                return copy
            key, item = copy[index]
            change = dice.random()
            if change < 0.05:
                del copy[index]
            elif change < 0.1:
                copy.insert(dice.randrange(len(copy) + 1), (key, self.in_structure(item)))
            elif change < 0.15:
                copy[index] = (dice.choice((*NAMES, *TEXTS)), item)
            else:
                copy[index] = (key, self.in_structure(item))
            return copy
        return self.replaced(value)

    def replaced(self, value: Any) -> Any:
        dice = self.dice
        change = dice.random()
        if change < 0.3:
            return Token(dice.choice(TOKENS))
        if change < 0.6:
            return dice.choice(TEXTS)
        if change < 0.7:
            return dice.choice((None, True, False, [], Members(), [None], [[]], [value], Members([("status", value)])))
        if change < 0.8:
            return value[0] if type(value) is list and value else [value, value]
        if change < 0.9:
            return dice.choice(TREES)
        if change < 0.91:
            return self.many(dumped(value))
        return Token(f"{dice.randint(-10, 10 ** dice.randint(0, 25))}.{dice.randint(0, 10 ** dice.randint(1, 30))}")

    def many(self, text: str) -> Token:
        """One in the other, or one beside the other, up to LONGEST."""
        dice = self.dice
        if dice.random() < 0.5:
            before, after = dice.choice((("[", "]"), ('{"a":', "}")))
            times = dice.choice((10, 300, 1_000, 20_000))
            return Token(before * times + text + after * times)
        text = dice.choice((text, "{}", "[]", "0", '"x"', "null", '{"refundStatus":77}'))
        most = LONGEST // (len(text) + 1)
        return Token(f"[{','.join([text] * dice.randint(1, max(1, most)))}]")

    # ---- bytes -------------------------------------------------------------------------------------------------------
    def in_bytes(self, content: bytes) -> bytes:
        dice = self.dice
        for _ in range(dice.randint(1, 3)):
            start, end = sorted((dice.randint(0, len(content)), dice.randint(0, len(content))))
            change = dice.randrange(6)
            if change == 0:
                content = content[:start]
            elif change == 1:
                content = content[:start] + content[min(end, start + 8) :]
            elif change == 2:
                content = content[:start] + dice.randbytes(dice.randint(1, 8)) + content[start:]
            elif change == 3:
                content = content[:start] + bytes([dice.randrange(32, 127)]) + content[start + 1 :]
            elif change == 4:
                content = content[:end] + content[start:end] * dice.choice((1, 1, 2, 50)) + content[end:]
            else:
                content = dice.choice((b"\xef\xbb\xbf", b" ", b"\xff\xfe", b"\x1f\x8b", b"[", b"\n")) + content
        return content
