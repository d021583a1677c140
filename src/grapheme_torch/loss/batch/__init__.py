"""A batch of predictions beside a batch of targets, checked and laid out; computes no cost."""
