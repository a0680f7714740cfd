"""One group buy: offers, listings, windows, quotas, minimums, states."""
