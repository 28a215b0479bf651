"""Alerts: what a machine's predictions come to for people: cases, and the transitions that are sent."""
