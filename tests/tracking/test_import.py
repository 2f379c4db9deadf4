"""Who does not track pays nothing for it."""

import json
import subprocess
import sys


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_the_package_loads_none_of_it() -> None:
    loaded = json.loads(python("import atlas_refunds, json, sys; print(json.dumps([*sys.modules]))").stdout)
    ours = [name for name in loaded if name.startswith("atlas_refunds.tracking")]
    theirs = {"sqlalchemy", "psycopg", "sqlite3"} & {name.partition(".")[0] for name in loaded}
    assert (ours, theirs) == ([], set())


def test_without_the_extra_it_says_what_to_install() -> None:
    done = python("import sys; sys.modules['sqlalchemy'] = None; import atlas_refunds.tracking")
    assert (
        done.stderr.splitlines()[-1] == "ImportError: tracking needs sqlalchemy: pip install 'atlas-refunds[tracking]'"
    )
