"""Pages by what they are about; `baskets.py` reads what a member chose."""
