"""The makers of packets are found from every test beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
