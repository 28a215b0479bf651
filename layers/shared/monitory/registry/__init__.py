"""Model versions: stored once, promoted by one conditional write, recorded."""
