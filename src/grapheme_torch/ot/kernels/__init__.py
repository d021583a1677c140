"""The same transport in other hands: C++ on the CPU, Triton on a GPU; asked through operators."""
