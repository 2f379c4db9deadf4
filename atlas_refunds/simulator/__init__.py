"""A local Atlas: the refund API with its documented rules and codes, and refunds that do come to an end.

`python -m atlas_refunds.simulator` runs it on a socket, `serve` inside an event loop, `Simulator().asgi` in process.
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
from .scenarios import SCENARIOS
from .service import CLIENT_ID, CLIENT_SECRET

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "SCENARIOS", "Clock", "Simulator", "SteppedTime", "serve"]
