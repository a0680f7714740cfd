"""Suppliers, products, variants, units, price history, stock pools."""
