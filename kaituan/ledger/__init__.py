"""Double-entry books: accounts, entries, transfers. Knows nothing of orders."""
