"""The operator's pages (desktop)."""
