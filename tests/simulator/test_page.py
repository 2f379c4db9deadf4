"""The page in a real browser: with and without script, by mouse and by keyboard, for eyes and for screen readers."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from atlas_refunds.simulator import Clock, Simulator, serve

from .browser import ENTER, TAB, Browser, BrowserError, browser, chromedriver
from .conftest import HEADERS, PATHS, TEN_DAYS, Api


def until(condition: Callable[[], bool]) -> None:
    """A press of a button returns before its answer has come."""
    for _ in range(2000):
        with suppress(BrowserError):  # the old page went away between two questions
            if condition():
                return
        time.sleep(0.005)
    raise AssertionError("it did not come to pass")


AUDIT = (Path(__file__).parent / "audit.js").read_text("utf-8")


class Site:
    """The simulator on a socket, in a thread of its own."""

    def __init__(self, portal: BlockingPortal, simulator: Simulator, url: str) -> None:
        self._portal, self.simulator, self.url = portal, simulator, url
        self.http = httpx.Client(base_url=url, headers=HEADERS)

    def submit(self, order_no: str) -> str:
        body = {"orderNo": order_no, "refundRequestList": Api.people(order_no)}
        return str(self.http.post(PATHS["submit"], json=body).json()["refundCode"])

    def state(self, order_no: str) -> int:
        order = self.http.get("/_simulator/state").json()["orders"][order_no]
        return int(order["refunds"][-1]["refundStatus"])

    def advance(self, step: timedelta) -> None:
        """Returns when the webhooks that this makes due are answered."""
        self.simulator.clock.advance(step)
        self._portal.call(self.simulator.deliver)
        while any(sent.answer == "waiting" for sent in self.simulator.webhooks.log):
            self._portal.call(asyncio.sleep, 0.005)


@pytest.fixture
def site() -> Iterator[Site]:
    simulator = Simulator(clock=Clock(scale=0))
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve(simulator)) as url:
        made = Site(portal, simulator, url)
        with made.http:
            simulator.webhooks.set(f"{url}/nobody", seed=1, rates={"forged": 0.5})
            yield made


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with chromedriver(tmp_path_factory.mktemp("driver")) as http:
        yield http


@pytest.fixture
def chromium(driver: httpx.Client) -> Iterator[Browser]:
    with browser(driver) as made:
        yield made


@pytest.fixture
def chromium_without_script(driver: httpx.Client) -> Iterator[Browser]:
    with browser(driver, script=False) as made:
        yield made


# ---- without a browser -----------------------------------------------------------------------------------------------
async def test_it_is_there_and_shows_what_happened(simulator: Simulator, api: Api) -> None:
    simulator.webhooks.set("http://127.0.0.1:9/<hook>")
    code = (await api.submit("SIM-REJECTED"))["refundCode"]
    simulator.clock.advance(TEN_DAYS)
    await api.http.post("/refund.do", json={}, headers={"x-simulator-fault": "empty"})
    await simulator.deliver()
    page = await api.http.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for part in (code, "SIM-REJECTED", "4 rejected", "ConnectError", "http://127.0.0.1:9/&lt;hook&gt;", "empty"):
        assert part in page.text
    assert "<hook>" not in page.text


async def test_a_long_history_is_cut(simulator: Simulator, api: Api) -> None:
    for number in range(205):
        await api.submit(f"SIM-STUCK.{number}")
    page = (await api.http.get("/")).text
    assert "The newest 200 of 205." in page
    assert ("SIM-STUCK.204<" in page, "SIM-STUCK.5<" in page, "SIM-STUCK.4<" in page) == (True, True, False)


@pytest.mark.parametrize(
    ("act", "value", "problem"),
    [
        ("step", "year", "year"),
        ("finish", "X", "no refund has the code X"),
        ("resend", "7", "no webhook"),
        ("x", "", ""),
    ],
)
async def test_what_cannot_be_done_is_said(act: str, value: str, problem: str, api: Api) -> None:
    answer = await api.http.post(f"/_page/{act}", data={"value": value})
    assert answer.status_code == 400
    alert = answer.text.partition('role="alert"')[2].partition("</p>")[0]
    assert "Nothing was done" in alert
    assert problem in alert


async def test_a_path_that_is_none_is_still_none(api: Api) -> None:
    assert (await api.http.post("/refundQuote.do", json={})).status_code == 404


# ---- in the browser --------------------------------------------------------------------------------------------------
def test_buttons_work_without_script(site: Site, chromium_without_script: Browser) -> None:
    page = chromium_without_script
    first, second = site.submit("SIM-REFUNDED"), site.submit("SIM-REFUNDED.2")
    page.open(site.url)
    page.click("#step-one-day")
    until(lambda: "2025-05-13" in page.text("#summary"))
    assert site.state("SIM-REFUNDED") == 1
    page.click(f"#finish-refund-{first}")
    until(lambda: page.find(f"#finish-refund-{first}") == [])
    page.click(f"#reject-refund-{second}")
    until(lambda: page.find(f"#reject-refund-{second}") == [])
    assert (site.state("SIM-REFUNDED"), site.state("SIM-REFUNDED.2")) == (2, 4)
    site.advance(timedelta())
    before = len(site.simulator.webhooks.log)
    page.open(site.url)
    page.click("#resend-webhook-1")
    until(lambda: len(site.simulator.webhooks.log) > before)
    assert site.simulator.webhooks.log[before].about == "1 again"
    page.open(f"{site.url}/?live")
    assert page.find("noscript meta, meta[http-equiv=refresh]")  # it refreshes itself
    page.click("#step-one-week")
    until(lambda: "2025-05-20" in page.text("#summary"))
    assert page.url == f"{site.url}/?live"


def test_it_updates_itself_and_leaves_focus_and_details_alone(site: Site, chromium: Browser) -> None:
    site.submit("SIM-REFUNDED")
    site.advance(timedelta(days=1))
    chromium.open(f"{site.url}/?live")
    chromium.click("#body-1 summary")
    chromium.run("document.getElementById('resend-webhook-1').focus()")
    code = site.submit("SIM-STUCK")
    site.simulator.clock.advance(timedelta(days=1))
    assert code not in chromium.text("main")
    chromium.run_async("update().then(arguments[arguments.length - 1])")
    assert code in chromium.text("main")
    assert "2025-05-14" in chromium.text("#summary")
    assert chromium.run("return document.activeElement.id") == "resend-webhook-1"
    assert chromium.run("return document.querySelector('#body-1').open")


def test_the_keyboard_is_enough(site: Site, chromium: Browser) -> None:
    code = site.submit("SIM-REFUNDED")
    chromium.open(site.url)
    reached: list[str] = []
    for _ in range(30):
        chromium.press(TAB)
        reached.append(chromium.run("return document.activeElement.id || document.activeElement.textContent"))
        outline = chromium.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", f"the focus on {reached[-1]} is not seen"
        if reached[-1] == f"finish-refund-{code}":
            break
    assert reached[:2] == ["To the refunds", "step-one-hour"]
    chromium.press(ENTER)
    until(lambda: chromium.find(f"#finish-refund-{code}") == [])
    assert "2 refunded" in chromium.text("main")
    assert site.state("SIM-REFUNDED") == 2


def test_screen_readers_know_what_is_what(site: Site, chromium: Browser) -> None:
    code = site.submit("SIM-REFUNDED")
    site.advance(TEN_DAYS)
    chromium.open(site.url)
    assert chromium.accessible_name(f"#finish-refund-{code}") == f"Finish refund {code}"
    assert chromium.accessible_name("#resend-webhook-1") == "Resend webhook 1"
    assert chromium.accessible_name("nav") == "Clock and updates"
    assert chromium.run(AUDIT) == []
    chromium.run("document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])", FLAWS)
    found = " ".join(chromium.run(AUDIT))
    for flaw in ("contrast 1.61", "no name", "table", "twice"):
        assert flaw in found


FLAWS = """<p style="color: #ccc">pale</p><button></button><table><tr><td>1</td></tr></table><p id="summary">x</p>"""
