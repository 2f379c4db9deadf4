"""What the service takes from its environment, beside what `AtlasRefunds.from_env` takes."""

import os
from dataclasses import dataclass
from datetime import timedelta

from atlas_refunds import PollSchedule


@dataclass(frozen=True)
class Settings:
    database_url: str
    """A file name for SQLite, or postgresql://..."""
    webhook_secret: str
    """The last part of the address that is registered with Atlas."""
    schedule: PollSchedule
    patience: timedelta
    """How long after an unclear submit "not submitted" is not yet believed."""
    submit_timeout: timedelta
    lease: timedelta
    """How long a worker may be silent before the others take over what it was at."""
    wake_interval: timedelta
    """Webhooks make it ask about a refund this often at most."""
    rate: float
    """Calls to Atlas per second, of each worker."""
    tick: float
    """Seconds between two looks into the database for what is due."""

    @classmethod
    def from_env(cls) -> "Settings":
        def number(name: str, default: float) -> float:
            return float(os.environ.get(name, default))

        poll = number("POLL_SECONDS", 0)
        return cls(
            database_url=os.environ.get("DATABASE_URL", "refunds.db"),
            webhook_secret=os.environ["WEBHOOK_SECRET"],
            schedule=PollSchedule.every(timedelta(seconds=poll)) if poll else PollSchedule(),
            patience=timedelta(seconds=number("PATIENCE_SECONDS", 120)),
            submit_timeout=timedelta(seconds=number("SUBMIT_SECONDS", 90)),
            lease=timedelta(seconds=number("LEASE_SECONDS", 60)),
            wake_interval=timedelta(seconds=number("WAKE_SECONDS", 30)),
            rate=number("CALLS_PER_SECOND", 10),
            tick=number("TICK_SECONDS", 1),
        )
