"""Labelled rows -> a model text with its calibrated interval."""
