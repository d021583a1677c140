"""Who computes the loss."""
