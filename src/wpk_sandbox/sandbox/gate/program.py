"""The gate's program as one argument for a bare Python: `python3 -I -S -c <this>`."""

import base64
import functools
import json
import zlib
from pathlib import Path

# In the order in which they need one another.
_MODULES = (
    "netlink",
    "device",
    "packets",
    "names",
    "directory",
    "flows",
    "recorder",
    "attribution",
    "responder",
    "mux",
    "inside",
)

# Each text becomes a module of a package that lies nowhere.
_BOOTSTRAP = """\
import base64, json, sys, types, zlib
package = sys.modules["gate"] = types.ModuleType("gate")
package.__path__ = []
for name, text in json.loads(zlib.decompress(base64.b64decode({packed!r}))):
    module = sys.modules["gate." + name] = types.ModuleType("gate." + name)
    module.__package__ = "gate"
    setattr(package, name, module)
    exec(compile(text, "gate/" + name + ".py", "exec"), module.__dict__)
sys.modules["gate.inside"].main()
"""


@functools.cache
def source() -> str:
    """The whole program. It stays far below the 128 KiB that one argument may have (execve(2))."""
    texts = [(name, Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")) for name in _MODULES]
    packed = base64.b64encode(zlib.compress(json.dumps(texts).encode(), 9)).decode()
    return _BOOTSTRAP.format(packed=packed)
