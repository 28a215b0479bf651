"""The lake -> hour rows, each finished day read once."""
