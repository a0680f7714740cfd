"""Persons, members, accounts, leaders and tiers, groups, pickup points, staff."""
