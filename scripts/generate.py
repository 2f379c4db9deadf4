"""Run openapi-python-client with our templates; the same specification gives the same bytes on every machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import SpecError

OPENAPI = Path(__file__).parent.parent / "openapi"
PACKAGE = "atlas_refunds_api"


def generate(specification: Path, into: Path) -> None:
    """Write the package `atlas_refunds_api` below `into`."""
    out = into / PACKAGE
    if out.exists():
        shutil.rmtree(out)
    tools = Path(sys.executable).parent  # the generator only warns when its formatter is not on the path
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate"),
        *("--path", str(specification), "--config", str(OPENAPI / "generator.yaml")),
        *("--custom-template-path", str(OPENAPI / "templates"), "--meta", "none"),
        *("--output-path", str(out), "--overwrite", "--fail-on-warning"),
    ]
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "TYPER_STANDARD_TRACEBACK": "1",  # not a box 80 columns wide: what the templates say stands in its last line
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SpecError("the generator stopped", [*done.stdout.splitlines(), *done.stderr.splitlines()])
    (out / "py.typed").touch()  # --meta none leaves it out
