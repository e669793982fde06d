"""The verbs of the API: finds what a request means, does it, lets the controllers act, and answers."""

from contextlib import nullcontext

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.policies import CREATE, DELETE, UPDATE, Asked
from wpk_sandbox.sandbox.clusters.simulated.admission import check_policies
from wpk_sandbox.sandbox.clusters.simulated.authorization import authorize, check_grants
from wpk_sandbox.sandbox.clusters.simulated.catalog import (
    CLAIM,
    NAMESPACE,
    POD,
    QUOTA,
    SERVICE_ACCOUNT,
    VOLUME,
    is_builtin,
    subresources,
)
from wpk_sandbox.sandbox.clusters.simulated.controllers import settle
from wpk_sandbox.sandbox.clusters.simulated.discovery import describe
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, name_of
from wpk_sandbox.sandbox.clusters.simulated.patching import patched
from wpk_sandbox.sandbox.clusters.simulated.refused import (
    Refused,
    bad_request,
    conflict,
    no_such_path,
    not_allowed,
    not_found,
    resource_name,
)
from wpk_sandbox.sandbox.clusters.simulated.request import Answer, Place, Request, find_place
from wpk_sandbox.sandbox.clusters.simulated.reviews import review
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.subresources import evict, read_log, scale_of, write_scale
from wpk_sandbox.sandbox.clusters.simulated.watch import chosen_by, watch
from wpk_sandbox.sandbox.clusters.simulated.writes import create, delete, replace, replace_status

APPLY = "application/apply-patch+yaml"
# A process runs in no pod of the simulation, so nothing can be attached to one.
_NEEDS_PROCESS = ("exec", "attach", "portforward", "proxy", "ephemeralcontainers")
# Deleting one of these leaves its pods, unless the caller asks for more.
_ORPHANING = ("Job", "ReplicationController")
# The answer to their deletion is the object: of some because on a real cluster they take a while to go.
_GRACEFUL = (POD, NAMESPACE, VOLUME, CLAIM, QUOTA, SERVICE_ACCOUNT)


def answer(store: Store, request: Request) -> Answer:
    """Carry out a request; a refusal is an answer too."""
    try:
        with store.lock:
            described = describe(store, request.path)
            if described is not None:
                return Answer(200, described)
            reviewed = review(store, request)
            if reviewed is not None:
                return reviewed
            place = find_place(store, request.path)
            authorize(store, request, place)
            return _Call(store, request, place).answer()
    except Refused as refused:
        return Answer(refused.code, refused.body)


class _Call:
    """One request on its way: the store, what was asked, and the place that it is about."""

    def __init__(self, store: Store, request: Request, place: Place) -> None:
        self.store, self.request, self.place = store, request, place
        self.kind: ResourceKind = place.kind

    def answer(self) -> Answer:
        if self.request.method == "GET":
            return self._read()
        if not self.place.name and self.place.kind.namespaced and not self.place.namespace:
            raise not_allowed()
        dry = self._dry_run()
        with self.store.discarding() if dry else nullcontext():
            done = self._write()
        if not dry:
            settle(self.store)
        return done

    def _dry_run(self) -> bool:
        value = self.request.query.get("dryRun", "")
        if not value and self.request.method == "DELETE":
            value = ",".join(self._delete_options().get("dryRun") or ())
        if value not in ("", "All"):
            raise bad_request(f'Invalid value: "{value}": dryRun supports only "All"')
        return value == "All"

    # Reading

    def _read(self) -> Answer:
        if self.request.flag("watch"):
            return Answer(200, stream=watch(self.store, self.place, self.request))
        if not self.place.name:
            return Answer(200, self._list())
        obj = self._found()
        match self.place.subresource:
            case "" | "status":
                self._served("status") if self.place.subresource else None
                return Answer(200, self._shown(obj))
            case "scale":
                self._served("scale")
                return Answer(200, scale_of(self.kind, obj))
            case "log":
                self._served("log")
                return Answer(200, read_log(obj, self.request))
        raise self._no_subresource()

    def _list(self) -> Object:
        return {
            "kind": f"{self.kind.kind}List",
            "apiVersion": self.kind.api_version,
            "metadata": {"resourceVersion": str(self.store.version)},
            "items": [self._listed(obj) for obj in self._selected()],
        }

    def _listed(self, obj: Object) -> Object:
        """An object as a list shows it: of a built-in kind without its type, which the list itself has."""
        if not is_builtin(self.kind):
            return self._shown(obj)
        return {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}

    def _selected(self) -> list[Object]:
        chosen = chosen_by(self.place, self.request)
        return [obj for obj in self.store.select(self.kind, self.place.namespace) if chosen(obj)]

    def _found(self) -> Object:
        obj = self.store.find(self.kind, self.place.namespace, self.place.name)
        if obj is None:
            raise not_found(self.kind, self.place.name)
        return obj

    def _shown(self, obj: Object) -> Object:
        """An object in the version of the API that was asked for."""
        return obj if is_builtin(self.kind) else {**obj, "apiVersion": self.kind.api_version}

    def _served(self, subresource: str) -> None:
        if subresource not in subresources(self.store, self.kind):
            raise self._no_subresource()

    def _no_subresource(self) -> Refused:
        if self.kind == POD and self.place.subresource in _NEEDS_PROCESS:
            why = f"the simulated cluster runs no process, so {self.place.subresource} is not possible"
            return Refused(501, "NotImplemented", f"{why}; use a sandbox with a real cluster such as kind")
        return no_such_path()

    # Writing

    def _write(self) -> Answer:
        place = self.place
        match self.request.method:
            case "POST" if not place.name:
                return Answer(201, self._shown(self._create()))
            case "POST" if place.subresource == "eviction" and self.kind == POD:
                return Answer(201, evict(self.store, self._found()))
            case "PUT" if place.name:
                return Answer(200, self._put())
            case "PATCH" if place.name:
                return self._patch()
            case "DELETE" if not place.subresource:
                return Answer(200, self._delete_one() if place.name else self._delete_many())
        if place.subresource:
            raise self._no_subresource()
        raise not_allowed()

    def _create(self) -> Object:
        body = self._body()
        self._admit(CREATE, body, {})
        return create(self.store, self.kind, body)

    def _admit(self, operation: str, new: Object, old: Object) -> None:
        """Hold a request to what no package may do. What the body lacks yet, defaults do not make worse."""
        place, user = self.place, self.request.user
        resource = f"{place.kind.plural}/{place.subresource}" if place.subresource else place.kind.plural
        name = str(dig(new or old, "metadata", "name", default=""))
        namespace = name if self.kind == NAMESPACE else place.namespace
        asked = Asked(operation, resource, namespace, name, new, old, ours=not user)
        check_policies(self.store, self.kind, asked)
        check_grants(self.store, user, self.kind, new)

    def _body(self) -> Object:
        """The body as an object that belongs to this place."""
        body = self.request.parsed()
        if not isinstance(body, dict):
            raise bad_request("the body of the request holds no object")
        metadata = body.get("metadata")
        if metadata is None:
            metadata = body["metadata"] = {}
        if isinstance(metadata, dict):
            self._fit_metadata(metadata)
        return body

    def _fit_metadata(self, metadata: Object) -> None:
        place = self.place
        if place.name and metadata.setdefault("name", place.name) != place.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({place.name})"
            )
        if not self.kind.namespaced:
            metadata.pop("namespace", None)
        elif (metadata.get("namespace") or place.namespace) != place.namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        else:
            metadata["namespace"] = place.namespace

    def _put(self) -> Object:
        before = self._found()
        match self.place.subresource:
            case "":
                body = self._body()
                self._admit(UPDATE, body, before)
                return self._shown(replace(self.store, self.kind, before, body))
            case "status":
                self._served("status")
                return self._shown(replace_status(self.store, self.kind, before, self._body()))
            case "scale":
                self._served("scale")
                return write_scale(self.store, self.kind, before, self.request, patching=False)
            case "finalize" if self.kind == NAMESPACE:
                return before
        raise self._no_subresource()

    def _patch(self) -> Answer:
        place, content_type = self.place, self.request.content_type.partition(";")[0].strip()
        before = self.store.find(self.kind, place.namespace, place.name)
        if place.subresource == "scale":
            self._served("scale")
            scaled = write_scale(self.store, self.kind, self._found(), self.request, patching=True)
            return Answer(200, scaled)
        if place.subresource:
            self._served(place.subresource)
        if before is None and content_type == APPLY and not place.subresource:
            return self._apply_new()
        before = self._found()
        after = patched(self.store, self.kind, before, self.request, content_type)
        self._fit_metadata(after["metadata"])
        self._admit(UPDATE, after, before)
        write = replace_status if place.subresource == "status" else replace
        stored = write(self.store, self.kind, before, after)
        if content_type == APPLY:
            self._remember(stored)
        return Answer(200, self._shown(stored))

    def _apply_new(self) -> Answer:
        stored = self._create()
        self._remember(stored)
        return Answer(201, self._shown(stored))

    def _remember(self, stored: Object) -> None:
        """Keep what a manager applied, so that what it leaves out the next time can go."""
        manager = self.request.query.get("fieldManager", "")
        by_manager = self.store.applied.get(self.store.identity(self.kind, stored), {})
        identity = self.store.identity(self.kind, stored)
        self.store.applied[identity] = {**by_manager, manager: self.request.parsed()}

    # Deleting

    def _delete_options(self) -> Object:
        body = self.request.parsed()
        return body if isinstance(body, dict) else {}

    def _propagation(self) -> str:
        asked = self.request.query.get("propagationPolicy") or self._delete_options().get("propagationPolicy")
        if asked not in (None, "Background", "Foreground", "Orphan"):
            raise bad_request(f'Invalid value: "{asked}": propagationPolicy is Background, Foreground or Orphan')
        return str(asked or ("Orphan" if self.kind.kind in _ORPHANING else "Background"))

    def _delete_one(self) -> Object:
        obj = self._found()
        self._check_preconditions(obj)
        self._admit(DELETE, {}, obj)
        last = delete(self.store, self.kind, obj, self._propagation())
        if self.kind in _GRACEFUL or last["metadata"].get("finalizers"):
            return self._shown(last)
        details = {"name": name_of(obj), "group": self.kind.group, "kind": self.kind.plural}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {**{key: value for key, value in details.items() if value}, "uid": obj["metadata"]["uid"]},
        }

    def _check_preconditions(self, obj: Object) -> None:
        for name, wanted in (dig(self._delete_options(), "preconditions", default={})).items():
            found = obj["metadata"].get(name)
            if wanted != found:
                word = {"uid": "UID", "resourceVersion": "ResourceVersion"}.get(name, name)
                why = f"Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}"
                raise conflict(self.kind, name_of(obj), why)

    def _delete_many(self) -> Object:
        if self.kind == NAMESPACE:
            raise Refused(405, "MethodNotAllowed", f"{resource_name(self.kind)} are deleted one by one")
        listed = self._list()
        for obj in self._selected():
            self._admit(DELETE, {}, obj)
            delete(self.store, self.kind, obj, self._propagation())
        return listed
