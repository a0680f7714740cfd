"""Periods, engines, statements, withdrawals, supplier payables."""
