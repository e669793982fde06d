"""What all contract tests share: the module with the gate's image is found from every folder below this one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
