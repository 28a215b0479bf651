"""The object store: a port, and its client for S3."""
