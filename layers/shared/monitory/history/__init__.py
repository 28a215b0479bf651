"""Recent hour rows of machines: how they are stored, and what is made of them."""
