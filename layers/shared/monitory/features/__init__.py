"""Readings -> hour rows -> the features that a model sees; what each of them means is defined here alone."""
