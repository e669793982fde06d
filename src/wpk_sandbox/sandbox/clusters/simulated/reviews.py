"""Questions about one's own rights: what `kubectl auth can-i` asks.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from wpk_sandbox.sandbox.clusters.simulated.authorization import Access, may, rules_of
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig
from wpk_sandbox.sandbox.clusters.simulated.refused import bad_request, not_allowed
from wpk_sandbox.sandbox.clusters.simulated.request import Answer, Request
from wpk_sandbox.sandbox.clusters.simulated.store import Store

_ROOT = "/apis/authorization.k8s.io/v1/"
_EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


def review(store: Store, request: Request) -> Answer | None:
    """The answer to a question about rights; None for any other request. Raises `Refused`."""
    if not request.path.startswith(_ROOT):
        return None
    asked = {"selfsubjectaccessreviews": _access, "selfsubjectrulesreviews": _rules}.get(request.path[len(_ROOT) :])
    if asked is None:
        return None
    if request.method != "POST":
        raise not_allowed()
    body = request.parsed()
    if not isinstance(body, dict):
        raise bad_request("the body of the request holds no object")
    return Answer(201, {**body, "status": asked(store, request.user, body.get("spec") or {})})


def _access(store: Store, user: str, spec: Object) -> Object:
    wanted = spec.get("resourceAttributes") or {}
    subresource = wanted.get("subresource")
    resource = str(wanted.get("resource", ""))
    asked = Access(
        user,
        str(wanted.get("verb", "")),
        str(wanted.get("group", "")),
        f"{resource}/{subresource}" if subresource else resource,
        str(wanted.get("namespace", "")),
        str(wanted.get("name", "")),
    )
    # A path such as /version is open to everyone who is known.
    return {"allowed": may(store, asked) or dig(spec, "nonResourceAttributes") is not None}


def _rules(store: Store, user: str, spec: Object) -> Object:
    found = list(rules_of(store, user, str(spec.get("namespace", "")))) if user else [_EVERYTHING]
    return {"resourceRules": found, "nonResourceRules": [], "incomplete": False}
