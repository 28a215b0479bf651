"""Running the product on one's own machine: an embedded S3, a simulated factory, and the real handlers."""
