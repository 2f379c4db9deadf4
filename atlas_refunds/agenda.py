"""Who is to be asked when, for many: a heap of times, and at each time all who are due then."""

import heapq
import math
from typing import Final, Generic, Protocol, TypeVar

GRAINS: Final = 256


class Planned(Protocol):
    """What can stand in an agenda. `due` is the agenda's to write."""

    due: float


T = TypeVar("T", bound=Planned)


class Agenda(Generic[T]):
    """A heap of everybody would be slow, for each step down it is a miss of the processor's cache."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._due_at: dict[float, list[T]] = {}

    def plan(self, item: T, due: float) -> None:
        """Where it stood before does not count any more."""
        item.due = due
        together = self._due_at.get(due)
        if together is None:
            together = self._due_at[due] = []
            heapq.heappush(self._times, due)
        together.append(item)

    def next_due(self) -> float | None:
        """The earliest time at which somebody is due."""
        while self._times:
            due = self._times[0]
            together = self._due_at[due]
            while together:
                if together[-1].due == due:
                    return due
                together.pop()
            del self._due_at[heapq.heappop(self._times)]
        return None

    def take(self) -> T:
        """Somebody who is due at `next_due`, which has to be asked first. Stands nowhere until planned again."""
        item = self._due_at[self._times[0]].pop()
        item.due = -math.inf
        return item


def rounded(moment: float, wait: float) -> float:
    """`moment`, or up to a 256th of `wait` later: a time that many who wait as long share."""
    grain = math.ldexp(1 / GRAINS, math.frexp(wait)[1] - 1)
    return math.ceil(moment / grain) * grain
