"""Hour rows -> labelled rows of features, split through time."""
