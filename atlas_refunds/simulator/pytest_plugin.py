"""The plugin by its first name."""

pytest_plugins = ["atlas_refunds.pytest_plugin"]
