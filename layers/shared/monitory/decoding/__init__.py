"""Bytes of the lake -> records: unpacking, framing, decoding, and what is rejected."""
