"""Model versions: stored once, promoted by one conditional write, with a history."""
