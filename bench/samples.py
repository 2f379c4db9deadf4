"""The published samples that are sent and answered here."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
QUERY = ROOT / "openapi/samples/reference-2025.query.request.json"
ANSWER = ROOT / "openapi/samples/reference-2025.query.response.json"
REFUND_CODE, STATUS = "202505-0013", 4  # of the refund in the answer
