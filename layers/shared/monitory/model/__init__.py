"""LightGBM text and model card -> RUL, interval and drivers."""
