"""Makes the example importable: its folder's name has a dash in it."""

import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "support-agent"

sys.path.insert(0, str(EXAMPLE))
