"""From the documentation page to the generated client: extract, merge, overlay, lint, generate; and drift."""

import os

# The validator takes another backend, with other messages, wherever a package that brings it is installed.
os.environ["OPENAPI_SPEC_VALIDATOR_SCHEMA_VALIDATOR_BACKEND"] = "jsonschema"
