"""Measurements: one module per benchmark, each prints JSON lines with both sides of its ratios."""
