"""A PostgreSQL server for tests: one of our own in a temporary folder, which may be stopped, or one that listens."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import attrs
import sqlalchemy as sa
from sqlalchemy import exc

LISTENING = os.environ.get("ATLAS_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
NONE_FOUND = "no PostgreSQL: neither initdb is installed nor does one listen at ATLAS_TEST_POSTGRES"


@attrs.frozen
class Cluster:
    """A server of our own."""

    binaries: Path
    folder: Path
    port: int
    fsync: str

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync={self.fsync}"
        self.control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """At once, as if it had crashed; what was committed is there at the next start."""
        self.control("stop", "-m", "immediate")

    def control(self, action: str, *options: str) -> None:
        as_postgres([str(self.binaries / "pg_ctl"), "-w", "-D", str(self.folder / "data"), action, *options])


@contextmanager
def own_cluster(*, fsync: bool = False) -> Generator[Cluster | None]:
    """None where the server's programs are not installed. Without `fsync` it survives its own crash only."""
    initdb = installed()
    if initdb is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="atlas-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    try:
        as_postgres([initdb, "-N", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres"])
        cluster = Cluster(Path(initdb).parent, folder, port, "on" if fsync else "off")
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def installed() -> str | None:
    """The path of initdb, which is not on the path of Debian and its kind."""
    return next(iter([*glob.glob("/usr/lib/postgresql/*/bin/initdb"), *filter(None, [shutil.which("initdb")])]), None)


def which_server() -> str:
    initdb = installed()
    if initdb:
        return f"PostgreSQL of our own, by {initdb}"
    return "PostgreSQL that listens at ATLAS_TEST_POSTGRES" if listens(LISTENING) else NONE_FOUND


@contextmanager
def fresh_database(server_url: str) -> Generator[str]:
    """A new database on a server, dropped in the end."""
    name, engine = f"atlas_{uuid4().hex[:12]}", connection_to(server_url)
    try:
        with engine.connect() as c:
            c.execute(sa.text(f"create database {name}"))
        yield sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as c:
            c.execute(sa.text(f"drop database {name} with (force)"))
    finally:
        engine.dispose()


def connection_to(url: str) -> sa.Engine:
    address = sa.make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(
        address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool, connect_args={"connect_timeout": 3}
    )


def listens(url: str) -> bool:
    engine = connection_to(url)
    try:
        with engine.connect():
            return True
    except exc.OperationalError:
        return False
    finally:
        engine.dispose()


def as_postgres(command: list[str]) -> None:
    """PostgreSQL refuses to be root."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(command, user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed")


# ---- PgBouncer -------------------------------------------------------------------------------------------------------
def pooler() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def pooled(program: str, cluster: Cluster, folder: Path) -> Generator[int]:
    """PgBouncer with two connections, before a server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    (folder / "users").write_text('"postgres" ""\n', "ascii")
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = trust\nauth_file = {folder}/users\npool_mode = transaction\n"
        "default_pool_size = 2\nunix_socket_dir =\n", "ascii",
    )  # fmt: skip
    for path in (folder, folder / "users", folder / "pgbouncer.ini", *folder.parents[:3]):
        path.chmod(0o755)
    user = "postgres" if os.geteuid() == 0 else None
    process = subprocess.Popen([program, "-q", str(folder / "pgbouncer.ini")], user=user, stderr=subprocess.DEVNULL)
    try:
        while not listens(f"postgresql://postgres@127.0.0.1:{port}/postgres"):
            assert process.poll() is None
        yield port
    finally:
        process.terminate()
        process.wait()
