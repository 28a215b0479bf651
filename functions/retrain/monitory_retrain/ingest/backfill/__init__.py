"""A backfill: a plan of what has to be read, cut into batches that are read side by side."""
