"""The actions of a backfill: a plan with its manifest, and the reading of a batch."""
