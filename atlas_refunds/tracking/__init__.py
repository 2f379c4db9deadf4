"""Refunds that outlive the process (extra `[tracking]`): submitted once per key, followed for weeks, told to a handler.

The state is in a database of yours, SQLite or PostgreSQL; a row says by itself when it is due and who is at it.
"""

try:
    from .tracker import Tracker
except ModuleNotFoundError as missing:
    extra = (missing.name or "").partition(".")[0]
    if extra not in {"sqlalchemy", "psycopg"}:
        raise
    raise ImportError(f"tracking needs {extra}: pip install 'atlas-refunds[tracking]'", name=extra) from missing
from .database import TrackerUnavailableError
from .notices import Health, Kind, Notice
from .policy import Policy
from .records import Action, Change, Step, Tracked
from .runs import ChangeHandler

__all__ = [
    "Action",
    "Change",
    "ChangeHandler",
    "Health",
    "Kind",
    "Notice",
    "Policy",
    "Step",
    "Tracked",
    "Tracker",
    "TrackerUnavailableError",
]
