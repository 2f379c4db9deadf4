"""From the documentation page to the generated client: extract, merge, overlay, lint, generate."""
