"""The predict function: a machine's newest hour -> its remaining useful life, over HTTP."""
