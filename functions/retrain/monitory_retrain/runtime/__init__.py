"""Processes and progress."""
