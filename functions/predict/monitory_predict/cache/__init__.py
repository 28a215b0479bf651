"""What a process keeps in memory between requests: history, model, failures."""
