"""Claims, remedies, liability."""
