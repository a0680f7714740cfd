"""Fen, basis points, rounding, splitting; quantities in base steps. Pure."""
