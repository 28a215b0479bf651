"""Caches between requests: history, model, failures."""
