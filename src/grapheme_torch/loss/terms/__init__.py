"""The formulas of the loss, each once."""
