"""The member's pages (phone)."""
