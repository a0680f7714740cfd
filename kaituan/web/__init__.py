"""Base layout, tokens, shared components, static files. No rules."""
