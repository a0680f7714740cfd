"""Template tags of the supplier's pages."""
