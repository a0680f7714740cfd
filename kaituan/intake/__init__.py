"""Raw ASGI routes ahead of Django: order intake, live chain, shared pages, health."""
