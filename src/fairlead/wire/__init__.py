"""Formats: bytes to values and back, pure and synchronous."""
