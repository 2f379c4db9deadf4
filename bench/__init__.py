"""Measured, in the repository: what a refund call costs beside what else one could use, and what following costs."""
