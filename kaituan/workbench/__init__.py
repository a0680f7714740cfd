"""The leader's pages (phone)."""
