"""The database: how it is opened, its tables, and how an older database becomes today's."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs
import sqlalchemy as sa
from sqlalchemy import event, exc

from ..errors import ConfigurationError
from .records import Change, Tracked

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (  # 1
        "create table atlas_refund ("
        " key text primary key, order_no text, step text not null, intent text, token text, payment_mode text,"
        " status text, note text, tries integer not null, created_at double precision not null,"
        " changed_at double precision not null, sent_at double precision, looked_at double precision,"
        " look_at double precision not null, woken_at double precision, held_by text,"
        " held_until double precision, job integer not null, due double precision, changes integer not null)",
        "create index atlas_refund_order on atlas_refund (order_no)",
        "create index atlas_refund_step on atlas_refund (step, changed_at)",
        "create index atlas_refund_due on atlas_refund (due)",
        "create table atlas_refund_change ("
        " key text not null, number integer not null, at double precision not null, step text not null,"
        " status text, token text, note text, handled_at double precision, tries integer not null,"
        " retry_at double precision, error text, primary key (key, number))",
        "create index atlas_refund_change_open on atlas_refund_change (handled_at, tries)",
    ),
)
"""Each entry brings a database one version further. Entries are only ever added."""

ENGINE_SCHEMA: Final = "atlas_refunds_engine"
"""Where the engine keeps its own tables on PostgreSQL; in SQLite they stand beside ours."""

_LOCK: Final = 8_202_611  # for PostgreSQL's advisory locks: one migrator at a time
_NOW: Final[Mapping[str, sa.TextClause]] = {
    "sqlite": sa.text("select (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": sa.text("select cast(extract(epoch from clock_timestamp()) as double precision)"),
}


def _columns(kind: type[Tracked] | type[Change]) -> list[sa.ColumnClause[Any]]:
    return [sa.column(field.name) for field in attrs.fields(kind)]


REFUNDS: Final = sa.table("atlas_refund", *_columns(Tracked))
CHANGES: Final = sa.table("atlas_refund_change", *_columns(Change))


def open_engine(url: str) -> sa.Engine:
    """Connections to the database that `url` names. Raises ConfigurationError for what is neither of the two kinds."""
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, AttributeError, ValueError):
        raise ConfigurationError("url: give sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    kind = parsed.get_backend_name()
    if kind not in _NOW or (kind == "sqlite" and parsed.database in (None, "", ":memory:")):
        raise ConfigurationError("url: give sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    if kind == "postgresql":
        wait = {"connect_timeout": 10}
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,  # an error text must not hold an intent
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            connect_args=wait,
        )
    engine = sa.create_engine(parsed, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _begin_sqlite(connection: sa.Connection) -> None:
    """Before the first read: the driver would lock before the first write only, and others write in between."""
    connection.exec_driver_sql("begin immediate")


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in ("busy_timeout=30000", "foreign_keys=on", "journal_mode=wal", "synchronous=full"):
        connection.execute(f"pragma {pragma}").fetchall()


@contextmanager
def transaction(engine: sa.Engine) -> Generator[tuple[sa.Connection, float]]:
    """One transaction that may write, and the time by the database's clock, the only one that all workers share."""
    with engine.begin() as connection:
        yield connection, clock(connection)


def clock(connection: sa.Connection) -> float:
    """Seconds since 1970 by the database's clock."""
    return float(connection.execute(_NOW[connection.dialect.name]).scalar_one())


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to this release's version; safe from several processes at once, and may be repeated.

    Raises ConfigurationError when a newer release has been at this database.
    """
    with transaction(engine) as (connection, _):
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(sa.text("create table if not exists atlas_refund_schema (version integer not null)"))
        found = connection.execute(sa.text("select max(version) from atlas_refund_schema")).scalar() or 0
        if found > len(MIGRATIONS):
            raise ConfigurationError(
                f"the database has version {found}, this release knows {len(MIGRATIONS)}: install the newer release"
            )
        for version, statements in enumerate(MIGRATIONS[found:], start=found + 1):
            for statement in statements:
                connection.execute(sa.text(statement))
            connection.execute(sa.text("insert into atlas_refund_schema values (:version)"), {"version": version})
