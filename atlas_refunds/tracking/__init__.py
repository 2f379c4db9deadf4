"""Refunds that outlive the process (extra `[tracking]`): submitted once per key, followed for weeks, told to a handler.

The state is in a database of yours, SQLite or PostgreSQL, the waiting in DBOS, an engine that others keep.
"""

try:
    from .tracker import Tracker
except ModuleNotFoundError as missing:
    extra = (missing.name or "").partition(".")[0]
    if extra not in {"dbos", "sqlalchemy", "psycopg"}:
        raise
    raise ImportError(f"tracking needs {extra}: pip install 'atlas-refunds[tracking]'", name=extra) from missing
from .database import TrackerUnavailableError
from .notices import Kind, Notice
from .policy import Policy
from .records import Change, Step, Tracked
from .runs import ChangeHandler

__all__ = [
    "Change",
    "ChangeHandler",
    "Kind",
    "Notice",
    "Policy",
    "Step",
    "Tracked",
    "Tracker",
    "TrackerUnavailableError",
]
