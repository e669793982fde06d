"""A real cluster of its own for each run: kind's, closed to the outside, limited, and removed whole.

Read `cluster.py` first, then `boot.py` (how it is made), `connection.py` (how we reach it), `firewall.py` (how
it is closed) and `access.py` (how a shell reaches it and nothing else). What happens in the node goes through the
program `docker`, which kind needs too: both see the same daemon, wherever it is.
"""

from wpk_sandbox.sandbox.clusters.kind.provider import KindProvider
from wpk_sandbox.sandbox.sandbox import ClusterProvider

KIND: ClusterProvider = KindProvider()
