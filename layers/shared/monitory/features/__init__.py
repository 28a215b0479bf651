"""Readings -> hour rows -> the features that a model sees; the only feature code."""
