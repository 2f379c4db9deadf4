"""One module a client, run by `bench.worker` in an environment of its own.

Each has `make(base_url)`, `query(client)`, `status(answer)`, `close(client)` and `decode(content)`: the bytes of an
answer to what the client's user gets.
"""

import json

from ..samples import QUERY

HEADERS = {"x-atlas-client-id": "bench", "x-atlas-client-secret": "bench-secret", "Accept-Encoding": "gzip"}
PATH = "/queryRefundOrders.do"
BODY = json.loads(QUERY.read_bytes())
