"""Kaituan 开团: software to run community group buying."""
