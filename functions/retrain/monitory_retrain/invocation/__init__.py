"""An invocation of the function: envelope -> request, result by event id, metrics."""
