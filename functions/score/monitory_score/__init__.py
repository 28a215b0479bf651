"""The score function: every machine, every hour."""
