"""Lets the tests of rollouts share their states, plans and verdicts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
