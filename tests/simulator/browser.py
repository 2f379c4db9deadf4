"""A headless Chromium, driven through the WebDriver protocol (W3C) of its own chromedriver."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's name for a reference
TAB, ENTER = "\ue004", "\ue007"


class BrowserError(Exception):
    """What the browser says to a command, such as that an element went away with its page."""


class Browser:
    """One window."""

    def __init__(self, http: httpx.Client, *, script: bool) -> None:
        self._http, arguments = http, ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1200"]
        options: dict[str, Any] = {"args": arguments, "binary": shutil.which("chromium")}
        if not script:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        self._session = self._call("POST", "/session", {"capabilities": capabilities})["sessionId"]

    def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = self._http.request(method, path, content=None if body is None else json.dumps(body))
        value = answer.json()["value"]
        if not answer.is_success:
            raise BrowserError(value["error"], value["message"])
        return value

    def _do(self, method: str, path: str, **body: object) -> Any:
        return self._call(method, f"/session/{self._session}{path}", body if method == "POST" else None)

    def open(self, url: str) -> None:
        self._do("POST", "/url", url=url)

    @property
    def url(self) -> str:
        return str(self._do("GET", "/url"))

    def find(self, css: str) -> list[str]:
        found = self._do("POST", "/elements", using="css selector", value=css)
        return [element[ELEMENT] for element in found]

    def click(self, css: str) -> None:
        (element,) = self.find(css)
        self._do("POST", f"/element/{element}/click")

    def text(self, css: str) -> str:
        return " | ".join(self._do("GET", f"/element/{element}/text") for element in self.find(css))

    def accessible_name(self, css: str) -> str:
        """As a screen reader says it."""
        (element,) = self.find(css)
        return str(self._do("GET", f"/element/{element}/computedlabel"))

    def press(self, key: str) -> None:
        strokes = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._do("POST", "/actions", actions=[{"type": "key", "id": "keys", "actions": strokes}])

    def run(self, script: str, *arguments: object) -> Any:
        return self._do("POST", "/execute/sync", script=script, args=arguments)

    def run_async(self, script: str) -> Any:
        """The script calls its last argument when it is done."""
        return self._do("POST", "/execute/async", script=script, args=[])

    def screenshot(self) -> bytes:
        return base64.b64decode(self._do("GET", "/screenshot"))

    def close(self) -> None:
        self._do("DELETE", "")


@contextmanager
def chromedriver(folder: Path) -> Iterator[httpx.Client]:
    """Skips the test when there is no Chromium. `folder` is where the driver writes its log."""
    program = shutil.which("chromedriver")
    if program is None or shutil.which("chromium") is None:
        pytest.skip("no Chromium: the page was not looked at (Debian: apt-get install chromium chromium-driver)")
    log = folder / "chromedriver.log"
    with (
        subprocess.Popen([program, "--port=0", f"--log-path={log}"], stdout=subprocess.PIPE, text=True) as driver,
    ):
        try:
            assert driver.stdout
            ready = next(line for line in driver.stdout if "started successfully on port" in line)
            port = ready.rstrip(".\n").rpartition(" ")[2]
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
                yield http
        finally:
            driver.terminate()


@contextmanager
def browser(http: httpx.Client, *, script: bool = True) -> Iterator[Browser]:
    made = Browser(http, script=script)
    try:
        yield made
    finally:
        made.close()
