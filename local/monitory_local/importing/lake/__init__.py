"""Readings in any order -> machine-days on disk -> objects of the lake -> the bucket."""
