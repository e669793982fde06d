"""Which pod has which address and which control group: written down while they live, for when they are gone."""

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wpk_sandbox.sandbox.clusters.kind.calls import stream

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

# Nothing in these is the package's.
SYSTEM_NAMESPACES = ("kube-system", "local-path-storage", "kube-node-lease", "kube-public")
_PAUSE = 1.0
_MOST = 10_000


class Pods:
    """A watch of all pods, in a thread of its own, until it is closed."""

    def __init__(self, api: "ApiClient") -> None:
        self._api = api
        self._by_address: dict[str, str] = {}
        self._namespaces: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def name_of(self, address: str) -> str:
        """`namespace/name` of the pod that has, or had last, an address; empty for no pod's."""
        return self._by_address.get(address, "")

    def is_of_package(self, uid: str) -> bool:
        """False for the pods of Kubernetes itself; those are known before any other comes."""
        return self._namespaces.get(uid) not in SYSTEM_NAMESPACES

    def is_system(self, name: str) -> bool:
        """True for the `namespace/name` of a pod of Kubernetes itself."""
        return name.partition("/")[0] in SYSTEM_NAMESPACES

    def close(self) -> None:
        """Begin no further watch; the one that goes on ends with the cluster.

        To close an answer that another thread reads would wait for that thread.
        """
        self._over.set()

    def learn(self, pod: Any) -> None:
        """Write down what one event of the watch says."""
        metadata, status = pod.get("metadata") or {}, pod.get("status") or {}
        if len(self._namespaces) > _MOST:
            self._namespaces.clear()
            self._by_address.clear()
        if metadata.get("uid"):
            self._namespaces[metadata["uid"]] = metadata.get("namespace", "")
        on_node = (pod.get("spec") or {}).get("hostNetwork")
        if status.get("podIP") and not on_node:
            for each in status.get("podIPs") or ({"ip": status["podIP"]},):
                self._by_address[each["ip"]] = f"{metadata.get('namespace')}/{metadata.get('name')}"

    def _watch(self) -> None:
        """Begin again whenever the watch ends; what the library raises when a cluster goes is of many kinds."""
        while not self._over.is_set():
            with suppress(Exception):
                for line in stream(self._api, "/api/v1/pods", (("watch", "true"),)):
                    self.learn(json.loads(line).get("object") or {})
            self._over.wait(_PAUSE)
