"""What must hold at any instant, as SELECTs of what does not: the money, the goods, the pay."""
