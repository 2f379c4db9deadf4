"""The database: how it is opened, its tables, and how an older database becomes today's."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event, exc

from ..errors import ConfigurationError
from .records import Action, Change, Tracked, columns

FIRST: Final = 2
"""The version of the first entry below; 1 was never released."""
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "create table atlas_refund ("
        " key text primary key, account text not null, order_no text, step text not null, intent text, subject text,"
        " token text, payment_mode text, status text, amount text, currency text, expected_confirmation_date text,"
        " expected_refund_date text, cancel_reason text, note text, tries integer not null, attempt integer not null,"
        " created_at double precision not null, changed_at double precision not null, sent_at double precision,"
        " looked_at double precision, look_at double precision, woken_at double precision, held_by text,"
        " held_until double precision, changes integer not null)",
        "create index atlas_refund_order on atlas_refund (order_no)",
        "create index atlas_refund_due on atlas_refund (account, look_at) where look_at is not null",
        "create index atlas_refund_ended on atlas_refund (step, changed_at) where look_at is null",
        "create table atlas_refund_change ("
        " key text not null, number integer not null, account text not null, at double precision not null,"
        " step text not null, status text, token text, state text, note text, handled_at double precision,"
        " tries integer not null, retry_at double precision, error text, held_by text, held_until double precision,"
        " primary key (key, number))",
        "create index atlas_refund_change_due on atlas_refund_change (account, retry_at) where retry_at is not null",
        "create index atlas_refund_change_failing on atlas_refund_change (key) where handled_at is null and tries > 0",
        "create table atlas_refund_account ("
        " account text primary key, next_slot double precision not null, careful_until double precision)",
        "create table atlas_refund_action (at double precision not null, key text, what text not null, by text,"
        " reason text)",
        "create index atlas_refund_action_key on atlas_refund_action (key)",
        # Only PostgreSQL reads what follows; room in its pages lets a claim change a row without touching an index.
        "postgresql: alter table atlas_refund set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)",
    ),
)
"""Each entry brings a database one version further. Entries are only ever added, and only add."""

_LOCK: Final = 8_202_611  # for PostgreSQL's advisory locks: one migrator at a time
NOW: Final[Mapping[str, str]] = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "cast(extract(epoch from clock_timestamp()) as double precision)",
}
"""Seconds since 1970 by the database's clock."""
_DURABLE: Final = sa.text(
    "select set_config('synchronous_commit', case when current_setting('synchronous_commit') in ('off', 'local')"
    f" then 'on' else current_setting('synchronous_commit') end, true), {NOW['postgresql']}"
)
"""What was written is on disk when the transaction ends, whatever the server's default: a refund hangs on it."""
BAD_URL: Final = "url: give sqlite:///FILE or postgresql://USER@HOST/DATABASE"

REFUNDS: Final = sa.table("atlas_refund", *map(sa.column, columns(Tracked)))
CHANGES: Final = sa.table("atlas_refund_change", *map(sa.column, columns(Change)))
ACTIONS: Final = sa.table("atlas_refund_action", *map(sa.column, columns(Action)))
ACCOUNTS: Final = sa.table("atlas_refund_account", *map(sa.column, ("account", "next_slot", "careful_until")))


def open_engine(url: str, *, connections: int = 8, read_only: bool = False) -> sa.Engine:
    """Connections to the database that `url` names. Raises ConfigurationError for what is neither of the two kinds.

    With `read_only` a file that does not exist is an error instead of a new database.
    """
    try:
        parsed = sa.make_url(url.replace("postgres://", "postgresql://", 1))
    except (exc.ArgumentError, AttributeError, ValueError):
        raise ConfigurationError(BAD_URL) from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,  # an error text must not hold an intent
            pool_pre_ping=True,
            pool_size=connections,
            max_overflow=0,
            connect_args={"connect_timeout": 10, "prepare_threshold": None},  # PgBouncer mixes up prepared statements
        )
    if kind != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise ConfigurationError(BAD_URL)
    if read_only:
        parsed = parsed.set(database=f"file:{quote(parsed.database or '')}", query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(parsed, hide_parameters=True, pool_size=connections, max_overflow=0)
    event.listen(engine, "connect", _prepare_sqlite if not read_only else _begin_nothing)
    return engine


def _begin_nothing(connection: Any, _: object) -> None:
    """The driver begins no transaction by itself."""
    connection.isolation_level = None


def _prepare_sqlite(connection: Any, record: object) -> None:
    _begin_nothing(connection, record)
    for pragma in ("busy_timeout=30000", "foreign_keys=on", "journal_mode=wal", "synchronous=full"):
        connection.execute(f"pragma {pragma}").fetchall()


@contextmanager
def transaction(engine: sa.Engine, *, durable: bool = True) -> Generator[tuple[sa.Connection, datetime]]:
    """One transaction that writes, and the time by the database's clock, the only one that all workers share.

    What is not `durable` may be forgotten when the database crashes.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # before the first read, for others write in between
            connection.exec_driver_sql("begin immediate")
        elif durable:
            yield connection, moment(connection.execute(_DURABLE).one()[1])
            return
        yield connection, clock(connection)


@contextmanager
def reading(engine: sa.Engine) -> Generator[sa.Connection]:
    """A connection for single questions, without a transaction."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def clock(connection: sa.Connection) -> datetime:
    """The time by the database's clock."""
    return moment(connection.execute(sa.text(f"select {NOW[connection.dialect.name]}")).scalar_one())


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to this release's version; safe from several processes at once, and may be repeated.

    Needs the right to create tables only when something is to be done. Raises ConfigurationError as `check`.
    """
    if check(engine) == 0:
        return
    with transaction(engine) as (connection, _):
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(sa.text("create table if not exists atlas_refund_schema (version integer not null)"))
        found = connection.execute(sa.text("select max(version) from atlas_refund_schema")).scalar() or FIRST - 1
        for version, statements in enumerate(MIGRATIONS[found - FIRST + 1 :], start=found + 1):
            for statement in statements:
                dialect, _, rest = statement.partition(": ")
                if dialect in (engine.dialect.name, statement):
                    connection.execute(sa.text(rest or statement))
            connection.execute(sa.text("insert into atlas_refund_schema values (:version)"), {"version": version})


def check(engine: sa.Engine) -> int:
    """How many versions the database is behind. Raises ConfigurationError for one that this release cannot use."""
    newest = FIRST + len(MIGRATIONS) - 1
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("atlas_refund_schema"):
            return newest - FIRST + 1
        found = int(connection.execute(sa.text("select max(version) from atlas_refund_schema")).scalar() or FIRST - 1)
    if found > newest:
        raise ConfigurationError(
            f"the database has version {found}, this release knows {newest}: a newer release has been at it,"
            " install that one; it cannot be taken back"
        )
    if found < FIRST:
        raise ConfigurationError(f"the database has version {found}, which no release ever had: take an empty database")
    return newest - found


def must_be_current(engine: sa.Engine) -> None:
    """Raises ConfigurationError when the tables are not there, or not of this release."""
    if check(engine):
        raise ConfigurationError(
            "the database has no tables of this release: run python -m atlas_refunds.tracking migrate, as a role that"
            " may create tables"
        )
