"""Four losses where nobody knows which node is which: tasks, losses, training."""
