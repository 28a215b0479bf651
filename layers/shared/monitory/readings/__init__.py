"""Readings by hour and sensor: packed when there are many, pooled where objects share an hour."""
