"""What the predict and the retrain function share: readings, features, storage and model versions."""
