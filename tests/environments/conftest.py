"""A local Atlas, plain and over TLS, in a thread of its own; and processes that call it."""

import asyncio
import contextlib
import os
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest
import trustme
import uvloop
from anyio.from_thread import start_blocking_portal

from atlas_refunds.simulator import CLIENT_ID, CLIENT_SECRET, Clock, Simulator, serve
from atlas_refunds.simulator.clock import scale_for
from tests.service.processes import free_port

ROOT = Path(__file__).parents[2]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]] | None:
    """What opens connections in this process does so on both loops."""
    by_itself = item.path.name in ("test_cancelled.py", "test_proxies.py", "test_tls.py")
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop} if by_itself else None


@attrs.frozen
class Authority:
    """A certificate authority that only these tests trust."""

    ca: trustme.CA
    file: Path

    def server(self, *hosts: str, clients: bool = False) -> ssl.SSLContext:
        """`clients`: only those who show a certificate of this authority."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(*hosts).configure_cert(context)
        if clients:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name: str | None = None) -> ssl.SSLContext:
        """Trusts this authority; with a name, shows a certificate for it."""
        context = ssl.create_default_context(cafile=self.file)
        if name is not None:
            self.ca.issue_cert(name).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca, file = trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


@asynccontextmanager
async def tls_before(url: str, context: ssl.SSLContext) -> AsyncGenerator[str]:
    """The same server over TLS."""
    target = urlsplit(url)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection(target.hostname, target.port)
        await both_ways((reader, writer), onward)

    server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def both_ways(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter], other: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    """Until one side hangs up; then both are closed."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        one[1].close()
        other[1].close()

    await asyncio.gather(copy(one[0], other[1]), copy(other[0], one[1]))


@attrs.frozen
class Atlas:
    """Where the local Atlas is; a day lasts a millisecond."""

    plain: str
    tls: str
    environment: dict[str, str]

    async def run(self, *arguments: str, cwd: Path = ROOT, **more: str) -> tuple[int, str]:
        """A Python process with these arguments: its exit status and all that it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", *arguments),
            cwd=cwd,
            env={**self.environment, **more},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), 60)
        except TimeoutError:
            process.kill()
            output, _ = await process.communicate()
            raise AssertionError(f"it hangs:\n{output.decode()}") from None
        assert process.returncode is not None
        return process.returncode, output.decode()

    @asynccontextmanager
    async def gunicorn(self, application: str, log: Path, cwd: Path = ROOT, **more: str) -> AsyncGenerator[str]:
        """Two workers with uvloop; yields the address once both have started."""
        port = free_port()
        options = ("--workers", "2", "--worker-class", "uvicorn_worker.UvicornWorker", "--graceful-timeout", "5")
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *options),
                cwd=cwd,
                env={**self.environment, **more},
                stdout=output,
                stderr=output,
            )

        def started() -> bool:
            assert process.returncode is None, log.read_text()
            return log.read_text().count("Application startup complete") == 2

        try:
            for _ in range(1000):
                if started():
                    break
                await asyncio.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()


@pytest.fixture(scope="session")
def atlas(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Generator[Atlas]:
    simulator = Simulator(clock=Clock(scale=scale_for(0.001)), query_without_code="list")
    folder = tmp_path_factory.mktemp("databases")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(simulator)) as plain,
        portal.wrap_async_context_manager(tls_before(plain, authority.server("localhost"))) as tls,
    ):
        environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        yield Atlas(
            plain,
            tls,
            environment
            | {
                "ATLAS_CLIENT_ID": CLIENT_ID,
                "ATLAS_CLIENT_SECRET": CLIENT_SECRET,
                "ATLAS_BASE_URL": plain,
                "ATLAS_PLAIN_URL": plain,
                "ATLAS_TLS_URL": tls,
                "ATLAS_TEST_CA": str(authority.file),
                "ATLAS_TEST_FOLDER": str(folder),
            },
        )
