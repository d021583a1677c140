"""What `sequences.py` is made of."""

import sys
from pathlib import Path

# Words are split, and our networks trained, by the recipes.
sys.path.append(str(Path(__file__).parents[2] / "recipes"))
