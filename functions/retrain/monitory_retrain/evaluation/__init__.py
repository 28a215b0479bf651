"""How a model does on the hold-out, and whether it is promoted."""
