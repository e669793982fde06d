"""What a cluster's refusal of a request means to an author: which permission is missing."""

import re
from dataclasses import dataclass

from wpk_sandbox.sandbox.clusters.rights import HOME, UNTOUCHABLE

# The API server's own words: https://github.com/kubernetes/apiserver, endpoints/handlers/responsewriters/errors.go
_FORBIDDEN = re.compile(
    r'User "system:serviceaccount:' + HOME + r':[a-z]+" cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)"'
    r' in API group "(?P<group>[^"]*)"(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?'
)


@dataclass(frozen=True)
class Missing:
    """A permission that a request lacked; `namespace` is empty for the whole cluster."""

    permission: str
    namespace: str = ""
    group: str = ""

    @property
    def message(self) -> str:
        """The refusal in one line."""
        if self.group in UNTOUCHABLE:
            return f"forbidden: no package may touch {self.permission.partition('/')[0]} in a sandbox"
        if self.namespace.startswith("kube-"):
            return f"forbidden: {self.permission} in {self.namespace}, into which the sandbox lets no package"
        return f"forbidden: {self.permission} is missing in required_permissions"

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.group in UNTOUCHABLE or self.namespace.startswith("kube-"):
            return "try such a step where the cluster may be lost"
        return f"add `{self.permission}` to `required_permissions`, or do without the request"


def missing(text: str) -> Missing | None:
    """The first permission that a message of the API server, or a client's output, says is missing."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return None
    resource, slash, subresource = found["resource"].partition("/")
    group = f".{found['group']}" if found["group"] else ""
    name = f"{resource}{group}{slash}{subresource}/{found['verb']}"
    return Missing(name, found["namespace"] or "", found["group"])
