"""Runs one client in its own process and environment. Commands and results are lines of JSON.

python -m bench.worker CLIENT
"""

import asyncio
import gc
import importlib
import json
import sys
import time
from typing import Any

from .processes import pin
from .samples import ANSWER, STATUS

client: Any = None  # the module under bench.clients


async def load(base_url: str, in_flight: int, seconds: float) -> dict[str, float]:
    """CPU and calls per second of calls by so many tasks, for so long."""
    made = client.make(base_url)
    assert client.status(await client.query(made)) == STATUS  # noqa: S101
    await asyncio.gather(*(client.query(made) for _ in range(in_flight)))
    gc.collect()
    done = failed = 0

    async def calls() -> None:
        nonlocal done, failed
        while time.perf_counter() < end:
            try:
                await client.query(made)
                done += 1
            except Exception:
                failed += 1

    cpu, began = time.process_time(), time.perf_counter()
    end = began + seconds
    await asyncio.gather(*(calls() for _ in range(in_flight)))
    cpu, took = time.process_time() - cpu, time.perf_counter() - began
    await client.close(made)
    return {"cpu": cpu / max(done, 1), "rate": done / took, "failed": failed}


async def construct() -> dict[str, float]:
    """CPU of making one client, inside a running loop; the best of five."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        made = client.make("https://127.0.0.1:1")
        best = min(best, time.process_time() - began)
        await client.close(made)
    return {"cpu": best}


def decode(seconds: float) -> dict[str, float]:
    """CPU from the bytes of an answer to what the user gets; the best of many."""
    content, best = ANSWER.read_bytes(), float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.process_time()
        for _ in range(50):
            client.decode(content)
        best = min(best, (time.process_time() - began) / 50)
    return {"cpu": best}


async def first_call(base_url: str) -> dict[str, float]:
    """How long the loop stands still while a client is made and calls for the first time: seconds and CPU seconds."""
    gap = step = 0.0

    async def heart() -> None:
        nonlocal gap, step
        last, last_cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(0)
            now, now_cpu = time.perf_counter(), time.thread_time()
            gap, step = max(gap, now - last), max(step, now_cpu - last_cpu)
            last, last_cpu = now, now_cpu

    beating = asyncio.create_task(heart())
    await asyncio.sleep(0)
    made = client.make(base_url)
    await asyncio.sleep(0)
    assert client.status(await client.query(made)) == STATUS  # noqa: S101
    await asyncio.sleep(0)
    beating.cancel()
    await client.close(made)
    return {"seconds": gap, "cpu": step}


def obey(do: str, **command: Any) -> dict[str, Any]:
    match do:
        case "decode":
            return decode(**command)
        case "load":
            return asyncio.run(asyncio.wait_for(load(**command), 90))
        case "construct":
            return asyncio.run(construct())
        case _:
            return asyncio.run(first_call(**command))


def main(name: str) -> None:
    global client
    client = importlib.import_module(f"bench.clients.{name}")
    pin(1)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            result = obey(**json.loads(line))
        except Exception as error:
            result = {"failure": repr(error)[:200]}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
