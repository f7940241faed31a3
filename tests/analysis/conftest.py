"""Lets the tests of judging share what they judge: strategies cannot be fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
