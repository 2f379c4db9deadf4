"""A small web service that gives money back through Atlas, as a travel seller would run it. docs/web-service.md."""
