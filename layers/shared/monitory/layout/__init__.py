"""The shape of a lake: a setting. Its folders, and the form of its records."""
