"""The chain reader, orders and lines, the order core, states."""
