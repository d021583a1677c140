"""Learnt scores of matches: embeddings of predicted and target nodes, and how far they are."""
