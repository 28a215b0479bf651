"""Finished days of hour rows, kept in the model bucket."""
