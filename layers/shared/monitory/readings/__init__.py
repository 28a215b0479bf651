"""Bytes of the lake -> readings: framing, decoding, and the readings of a sensor in an hour."""
