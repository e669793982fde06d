"""A Kubernetes API in this process: the official client works on it, controllers are modelled, nothing is run.

Read `cluster.py` first, then `api.py` (a request's way), `writes.py` (an object's way) and `controllers/`.
"""

from wpk_sandbox.sandbox.clusters.simulated.provider import SimulatedProvider
from wpk_sandbox.sandbox.sandbox import ClusterProvider

SIMULATED: ClusterProvider = SimulatedProvider()
