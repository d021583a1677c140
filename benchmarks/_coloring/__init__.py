"""The Coloring benchmark: pictures, network, two losses, training, scores and the clock."""
