"""Three engines, one answer to the fen: plain Python (the oracle), DuckDB (the default), Spark (optional)."""
