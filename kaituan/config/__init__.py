"""Settings, root URLs, the ASGI app: wiring only."""
