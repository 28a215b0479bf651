"""The object store: the port, and its S3 client."""
