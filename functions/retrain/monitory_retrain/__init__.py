"""The retrain function: the lake of some weeks -> a validated, stored and, if it deserves it, promoted model."""
