"""Caches between requests: histories, objects of state, the fleet's answers."""
