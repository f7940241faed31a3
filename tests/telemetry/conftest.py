"""Lets the tests of counting share how they make outcomes: strategies can't be fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
