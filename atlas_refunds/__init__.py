"""Asyncio SDK for the refund API of Atlas (ATRIP)."""
