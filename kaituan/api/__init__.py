"""The public API and webhooks."""
