"""Intents, gateways, allocations, refunds, reconciliation."""
