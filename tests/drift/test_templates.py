"""The generator without our templates: each of them is still needed, as long as one of these still goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.generate import OPENAPI

TEMPLATES = {
    "model.py.jinja": "money is float",
    "kinds.jinja": "money is float",
    "client.py.jinja": "a repr shows the secret",
    "package_init.py.jinja": "models import httpx",
    "types.py.jinja": "no from_json",
    "wire.py": "no from_json",
    "str_enum.py.jinja": "text enum is closed",
    "int_enum.py.jinja": "number enum is closed",
    "model_property.py.jinja": "answers are decoded by response.json()",
}
TRY = """
import inspect, sys
import plain.models
if "httpx" in sys.modules:
    print("models import httpx")
from plain import Client
from plain.api.refund import refund_quotation
from plain.models import QuoteType, RefundFareAmount, RefundQuotationResponse, RefundStatus
def refused(enum, value):
    try:
        enum(value)
    except ValueError:
        return True
    return False
if "secret" in repr(Client("https://atlas.example", headers={"x": "secret"})):
    print("a repr shows the secret")
source = inspect.getsource
if "estimated_refund_amount: float" in source(RefundFareAmount):
    print("money is float")
if not hasattr(RefundQuotationResponse, "from_json"):
    print("no from_json")
if refused(QuoteType, "NonRefundable"):
    print("text enum is closed")
if refused(RefundStatus, 7):
    print("number enum is closed")
if "response.json()" in source(refund_quotation):
    print("answers are decoded by response.json()")
"""


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder: Path = tmp_path_factory.mktemp("plain")
    config = folder / "config.yaml"
    own = (OPENAPI / "generator.yaml").read_text("utf-8")
    config.write_text(own[: own.index("post_hooks:")] + "post_hooks: []\n", "utf-8")
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        *("--path", str(OPENAPI / "corrected.json"), "--config", str(config), "--output-path", str(folder / "plain")),
    ]
    subprocess.run(command, check=True, capture_output=True)
    done = subprocess.run([sys.executable, "-c", TRY], cwd=folder, check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines())


@pytest.mark.parametrize(("template", "without"), TEMPLATES.items(), ids=TEMPLATES.keys())
def test_needed(template: str, without: str, wrong: set[str]) -> None:
    assert without in wrong


def test_every_template_has_its_reason() -> None:
    files = {
        path.name for path in (OPENAPI / "templates").rglob("*") if path.is_file() and path.suffix in (".py", ".jinja")
    }
    assert files == TEMPLATES.keys()
