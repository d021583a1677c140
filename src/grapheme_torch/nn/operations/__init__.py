"""What the network computes itself: one operation each, by PyTorch or by the native kernel."""
