"""Lets the tests of judging share how they make reports."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
