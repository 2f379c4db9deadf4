"""The simulator as a process of its own, and the faults that it plays in the campaigns of tracking."""

import asyncio
import sys

FAULTS: dict[str, dict[str, float]] = {
    "submit": {
        "lost_answer": 0.06,
        "refused": 0.04,
        "delayed": 0.04,
        "late": 0.03,
        "reset_mid_body": 0.04,
        "slow_loris": 0.01,
        "html_200": 0.02,
        "bad_gateway": 0.03,
        "gateway_refusal": 0.02,
        "http_522": 0.02,
        "truncated_json": 0.03,
        "too_many_requests": 0.01,
        "system_error": 0.02,
        "empty": 0.02,
    },
    "quote": {"refused": 0.03, "reset_mid_body": 0.03, "gateway_refusal": 0.03, "html_200": 0.01, "delayed": 0.02},
    "query": {"refused": 0.03, "reset_mid_body": 0.03, "bad_gateway": 0.03, "html_200": 0.01, "delayed": 0.02},
}


async def start_simulator(query_without_code: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "atlas_refunds.simulator", "--port", "0", "--day", "86400"),
        *("--query-without-code", query_without_code, "--accept-duplicates"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    return process, first.removeprefix("listening on ").strip()
