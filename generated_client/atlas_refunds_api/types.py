"""How the generated models read and write the wire form.

Hand-written in openapi/templates/wire.py; the generator copies it into the package as `types.py`.
"""

import datetime
import json
import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NoReturn,
    Self,
    TypeGuard,
    TypeVar,
    cast,
)

import attrs

if TYPE_CHECKING:
    from http import HTTPStatus

T = TypeVar("T")

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?", re.ASCII)
DATE = re.compile(r"\d{8}|\d{4}-\d\d-\d\d", re.ASCII)
CODE = re.compile(r"[\w.+-]{1,64}", re.ASCII)
LARGEST = 10**100
"""Above every amount. A number of more digits can cost minutes once somebody computes with it, or prints it."""
SIGNED = 2**63
MOST_VALUES = 5_000
"""In one body. The largest published answer has 70; to read this many blocks an event loop for 40 ms at the worst."""


# ---- errors ----------------------------------------------------------------------------------------------------------
class AtlasRefundsError(Exception):
    """Root of every error that this project raises. Survives pickle, whatever its subclass takes."""

    attempts: tuple[Any, ...] = ()
    """The attempts of the call that failed, in order; empty when nothing was attempted."""

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, (type(self), self.args, self.__dict__)


def restore(kind: type[AtlasRefundsError], args: tuple[Any, ...], state: dict[str, Any]) -> AtlasRefundsError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidRequestError(AtlasRefundsError, ValueError):
    """The input cannot be sent as it is. Nothing was sent; the text says what to give."""


class WireError(AtlasRefundsError, ValueError):
    """A received member cannot be read. `path` names it (`refundTickets[1].ticketNo`); its value is not shown."""

    def __init__(self, expected: str, found: str, path: str = "") -> None:
        super().__init__(expected, found, path)
        self.expected, self.found, self.path = expected, found, path

    def __str__(self) -> str:
        return f"{self.path or 'body'}: expected {self.expected}, found {self.found}"

    def under(self, key: str) -> Self:
        """The same error seen from one level further out."""
        self.path = key + ("." if self.path else "") + self.path
        return self


def unexpected(expected: str, value: object) -> WireError:
    return WireError(expected, type(value).__name__)


# ---- showing: what was received may hold a name, a line break or a megabyte ------------------------------------------
def harmless(value: object) -> str:
    """A received code or member name for a text or a log, unless it does not look like one."""
    text = value if isinstance(value, str) else str(value)
    return text if CODE.fullmatch(text) else "(not shown)"


def shown(value: object) -> str:
    """The repr of a received value."""
    return repr(harmless(value) if isinstance(value, str) else value)


# ---- open enums ------------------------------------------------------------------------------------------------------
class OpenEnum(Enum):
    """An enum that takes unknown values: they become members with `is_known` False that keep the raw value.

    Compares equal to its raw value and prints as it. Always write a default branch.
    """

    _value_: int | str

    @property
    def is_known(self) -> bool:
        """Whether the published documentation lists this value."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def _missing_(cls, value: object) -> Self:
        text = str(value).strip()
        for member in cls:
            if str(member._value_) == text:  # "2" for 2, 1 for "1"
                return member
        unknown = object.__new__(cls)  # not kept in the class: foreign input must not make it grow
        unknown._name_, unknown._value_ = "UNKNOWN", value if isinstance(value, int) else str(value)
        return unknown

    @classmethod
    def read(cls, value: object) -> Self:
        """A member from a JSON value; `true` is not the code 1."""
        known = cls._value2member_map_.get(value) if value.__class__ in (int, str) else None
        if known is not None:  # nearly always, and much quicker than the call of an Enum
            return cast("Self", known)
        deviates()
        if isinstance(value, (str, bool, Decimal)) or is_whole(value, SIGNED):
            return cls(str(value) if isinstance(value, bool) else value)
        raise unexpected("a code", value)

    def __eq__(self, other: object) -> bool:
        return self._value_ == (other._value_ if isinstance(other, type(self)) else other)

    def __hash__(self) -> int:
        return hash(self._value_)

    def __str__(self) -> str:
        return str(self._value_)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}.{self._name_}: {shown(self._value_)}>"


# ---- deviations: counted where reading leaves its usual path, told by the layer --------------------------------------
class Deviations:
    """How often something was read that the specification does not allow; a look at it costs nothing."""

    count = 0


def deviates() -> None:
    Deviations.count += 1


# ---- reading: one function a kind of value ---------------------------------------------------------------------------
def loads(content: bytes | str, *, unique: bool = False) -> Any:
    """JSON in UTF-8 with exact decimals. NaN and Infinity are refused, more than MOST_VALUES values too, and with
    `unique` a member that stands twice.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        if len(text) <= MOST_VALUES or sum(map(text.count, ",[{")) <= MOST_VALUES:  # before each value stands one
            return (STRICT if unique else LENIENT).decode(text)
        problem = WireError(f"at most {MOST_VALUES} values", "more")
    except (ValueError, ArithmeticError, RecursionError):  # Decimal refuses an exponent of twenty digits
        problem = WireError("JSON", "something else")
    content = text = ""  # no frame of the traceback may hold what was received: error trackers send locals
    raise problem


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands twice")
    return members


def not_json(constant: str) -> NoReturn:
    raise ValueError(constant)


LENIENT = json.JSONDecoder(parse_float=Decimal, parse_constant=not_json)
STRICT = json.JSONDecoder(parse_float=Decimal, parse_constant=not_json, object_pairs_hook=distinct)


def expect_object(value: Any, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    if value.__class__ is not dict:
        raise unexpected("an object", value)
    found: dict[str, Any] = value
    if names is not None and not found.keys() <= names.keys():
        deviates()
    return found


def text(value: object) -> str:
    if isinstance(value, str):
        return value
    deviates()
    if isinstance(value, Decimal) or is_whole(value, LARGEST):
        return str(value)
    raise unexpected("text", value)


def number(value: object) -> Decimal:
    """An amount, exact. Text that is not a number is an error: an unreadable amount must not look absent."""
    if isinstance(value, Decimal) and value.is_finite() and -100 < value.adjusted() < 100:
        return value
    if is_whole(value, LARGEST):
        return Decimal(value)
    deviates()
    if isinstance(value, (str, float)) and NUMBER.fullmatch(word := str(value).strip()):
        exact = Decimal(word)
        if -100 < exact.adjusted() < 100:
            return exact
    raise unexpected("a number", value)


def integer(value: object) -> int:
    """A whole number of 64 bits: it can be printed, stored and sent to a telemetry backend."""
    if is_whole(value, SIGNED):
        return value
    exact = number(value)
    if -SIGNED < exact < SIGNED and exact == exact.to_integral_value():
        return int(exact)
    raise unexpected("a whole number", value)


def is_whole(value: Any, bound: int) -> TypeGuard[int]:
    return value.__class__ is int and -bound < value < bound


def boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    deviates()
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, (int, str)) and word in ("true", "1", 1, "false", "0", 0):
        return word in ("true", "1", 1)
    raise unexpected("true or false", value)


def ymd(value: object) -> datetime.date | None:
    """yyyyMMdd (or yyyy-MM-dd) as a date. Anything else is None, never an error; `raw` has it."""
    word = str(value) if is_whole(value, LARGEST) else value
    found = calendar_date(word) if isinstance(word, str) and len(word) <= 10 else None  # longer ones fill the cache
    if found is None or not isinstance(value, str):
        deviates()
    return found


@lru_cache(maxsize=1024)  # many refunds share few dates
def calendar_date(word: str) -> datetime.date | None:
    from dateutil.parser import (
        isoparse,  # at the first date: it takes as long to import as all of this package
    )

    try:
        return isoparse(word).date() if DATE.fullmatch(word) else None
    except ValueError:
        return None


def get(source: Mapping[str, Any], key: str, read: Callable[[Any], T | None], promised: bool = False) -> T | None:
    """One member. A `promised` one is neither null nor absent, says the specification, but that is no error."""
    value = source.get(key)
    if not value and (value is None or value == ""):  # this API writes "" for null
        if promised:
            deviates()
        return None
    try:
        return read(value)
    except WireError as error:
        raise error.under(key) from None


def many(source: Mapping[str, Any], key: str, read: Callable[[Any], T | None], promised: bool = False) -> tuple[T, ...]:
    """A list. A single value is a list of one; null and missing are the empty list; null items are skipped."""
    value = source.get(key)
    if not value and (value is None or value == ""):
        if promised:
            deviates()
        return ()
    if value.__class__ is not list:
        deviates()
    out: list[T] = []
    for i, item in enumerate(value if value.__class__ is list else [value]):
        try:
            if item is not None and (done := read(item)) is not None:
                out.append(done)
        except WireError as error:
            raise error.under(f"{key}[{i}]") from None
    return tuple(out)


COMPARED: dict[type[Any], Callable[[Any], Any]] = {}
"""Reads the fields that count when two models of a class are compared."""


@attrs.frozen(eq=False, repr=False)
class Model:
    """What attrs would write for each model anew, which is half of the time that importing one takes.

    A repr shows numbers, dates, codes and the text that is known to be harmless; `raw`, `attrs.asdict` and pickles
    hold everything, passenger names included.
    """

    def __eq__(self, other: object) -> bool:
        return other.__class__ is self.__class__ and bool(self._compared() == cast("Self", other)._compared())

    def __hash__(self) -> int:
        return hash(self._compared())

    def _compared(self) -> Any:
        read = COMPARED.get(type(self))
        if read is None:
            read = COMPARED[type(self)] = attrgetter(*(field.name for field in attrs.fields(type(self)) if field.eq))
        return read(self)

    def __repr__(self) -> str:
        members = (f"{f.name}={self._show(getattr(self, f.name))}" for f in attrs.fields(type(self)) if f.repr)
        return f"{type(self).__name__}({', '.join(members)})"

    _show = staticmethod(repr)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Received(Model):
    """Base of the models that are read: nothing is required, null and absent are both None."""

    NAMES: ClassVar[dict[str, str]] = {}
    """Members of the JSON object, each with its attribute."""
    PROMISED: ClassVar[frozenset[str]] = frozenset()
    """Members that are neither null nor absent in a success, says the specification."""
    raw: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False, eq=False)
    """The JSON object as received, numbers exact."""
    _show = staticmethod(shown)

    @property
    def extra(self) -> dict[str, Any]:
        """Received members that the model does not name."""
        return {key: value for key, value in self.raw.items() if key not in self.NAMES}

    @classmethod
    def from_dict(cls, src: Mapping[str, Any], **more: Any) -> Self:
        """Read a JSON object; `more` are the fields that a subclass adds."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, content: bytes | str, **more: Any) -> Self:
        """Read the bytes of an answer."""
        return cls.from_dict(loads(content), **more)


# ---- writing ---------------------------------------------------------------------------------------------------------
def of(
    kind: type, *, null: bool = False, many: bool = False, pattern: str = "", words: str = "", min_items: int = 0
) -> Callable[[Any, Any, Any], None]:
    """The attrs validator of a sent field. Enums are closed here; the refused value is not shown, `words` say what is
    wanted where a pattern is."""
    form = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern  # JSON Schema's $ is the very end

    def one(name: str, value: object) -> None:
        if not isinstance(value, kind) or isinstance(value, datetime.datetime):  # to Python a datetime is a date
            raise InvalidRequestError(f"{name}: give {kind.__name__}, not {type(value).__name__}")
        if isinstance(value, OpenEnum) and not value.is_known:
            raise InvalidRequestError(f"{name}: give a published {kind.__name__}")
        if pattern and not re.search(form, str(value), re.ASCII):  # compiled when it is needed
            raise InvalidRequestError(f"{name}: give {words or f'text of the form {pattern}'}")

    def check(_model: object, field: "attrs.Attribute[Any]", value: Any) -> None:
        if value is None:
            if not null:
                raise InvalidRequestError(f"{field.name}: give {kind.__name__}, not None")
        elif not many:
            one(field.name, value)
        elif value.__class__ not in (list, tuple) or len(value) < min_items:
            raise InvalidRequestError(f"{field.name}: give a list or tuple of {kind.__name__}, {min_items} or more")
        else:
            for item in value:
                one(field.name, item)

    return check


def fixed(items: Sequence[T] | None) -> tuple[T, ...] | None:
    """What was checked stays as it was checked, whatever the caller does with his list."""
    return None if items is None else tuple(items)


def put(value: Any) -> Any:
    """The JSON form of a sent value."""
    if isinstance(value, datetime.date):
        return f"{value:%Y%m%d}"
    if isinstance(value, OpenEnum):
        return value.value
    if value.__class__ in (list, tuple):
        return [put(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


# ---- what the generator's own endpoint modules import ----------------------------------------------------------------
class Unset:
    def __bool__(self) -> bool:
        return False


UNSET = Unset()


@attrs.define
class Response(Generic[T]):
    status_code: "HTTPStatus"
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None
