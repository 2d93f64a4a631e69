"""Engines: what moves the bytes of HTTP. The only place that asyncio and trio are known in."""
