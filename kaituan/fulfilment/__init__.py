"""Cut-off, purchase orders, receiving, sharing out, sorting, hand-over."""
