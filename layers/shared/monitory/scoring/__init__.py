"""What the functions that predict have in common: model, failures, prediction, answer, and what is stored of them."""
