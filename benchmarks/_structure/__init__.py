"""What `structure.py` is made of."""
