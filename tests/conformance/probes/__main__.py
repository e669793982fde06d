"""Tries the attempts that are named, each in a process of its own, and prints a line of JSON for each.

`python3 probes.pyz '{"host_name": …}' unshare-user mount-tmpfs`. Ends with status 0 whatever comes of them.
"""

import json
import sys

from probes import devices, kernel, network, privileges, reading, resources, spaces
from probes.trying import TRIES, tried

MODULES = (devices, kernel, network, privileges, reading, resources, spaces)

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    for name in sys.argv[2:]:
        print(json.dumps(tried(name, TRIES[name], given)), flush=True)
