"""What users write in their own test suites: see users_tests.py."""

import os
import re

from .conftest import Atlas


async def test_testclients_of_all_frameworks_twice_and_the_mark_of_anyio(atlas: Atlas) -> None:
    status, output = await atlas.run(
        *("-m", "pytest", "-q", "-p", "anyio", "-p", "no:cacheprovider", "-c", os.devnull),
        *("--rootdir", ".", "--noconftest", "-W", "error", "tests/environments/users_tests.py"),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert status == 0, output
    assert re.search(r"^8 passed", output, re.MULTILINE), output
