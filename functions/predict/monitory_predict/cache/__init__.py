"""Caches between requests: histories, the fleet and its answers."""
