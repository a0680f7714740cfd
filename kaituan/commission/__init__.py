"""Plans, the pure calculation, guards, explanations."""
