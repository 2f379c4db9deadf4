"""A local Atlas: the refund API with its documented rules and codes, and refunds that do come to an end.

`python -m atlas_refunds.simulator` runs it on a socket, `serve` inside an event loop, `Simulator().asgi` in process.
`SIM-REFUNDED` and its kind are orders that play a case (`SCENARIOS`); what networks do to a call (`FAULTS`) is played
on the first submission of `SIM-REFUNDED+lost_answer`, for one call by the header `x-simulator-fault: lost_answer`, or
by chance, with `Simulator().faults.set(seed=7, rates={"submit": {"lost_answer": 0.1}})`.
"""

try:
    from .app import Simulator
    from .server import serve
except ModuleNotFoundError as missing:
    extra = (missing.name or "").partition(".")[0]
    if extra not in {"starlette", "uvicorn"}:
        raise
    raise ImportError(f"the simulator needs {extra}: pip install 'atlas-refunds[simulator]'", name=extra) from missing
from .clock import Clock, SteppedTime
from .faults import FAULTS
from .scenarios import SCENARIOS
from .service import CLIENT_ID, CLIENT_SECRET

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "FAULTS", "SCENARIOS", "Clock", "Simulator", "SteppedTime", "serve"]
