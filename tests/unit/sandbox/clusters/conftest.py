"""A simulated cluster without HTTP: requests go to `answer`, as the server hands them on."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.sandbox.clusters.simulated.api import answer
from wpk_sandbox.sandbox.clusters.simulated.bootstrap import furnish
from wpk_sandbox.sandbox.clusters.simulated.request import Request
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.namespace import namespace_objects
from wpk_sandbox.sandbox.sandbox import Limits, Security

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


class Clock:
    """A clock that moves a second at each look, so that what must not be written twice shows."""

    def __init__(self):
        self.time = datetime(2025, 1, 1, tzinfo=UTC)

    def __call__(self):
        self.time += timedelta(seconds=1)
        return self.time


class Api:
    """The API in the terms of a test: kinds by name, answers as plain objects, refusals as Status objects."""

    def __init__(self):
        self.store = Store(Clock(), seed="test")
        furnish(self.store, Limits())

    def call(self, method, path, body=None, content_type="application/json", **query):
        data = b"" if body is None else json.dumps(body).encode()
        done = answer(self.store, Request(method, path, query, content_type, data))
        return done.code, done.body

    def _path(self, kind, name=None, namespace="default", sub=""):
        found = resource_kind(kind)
        return found.path(namespace if found.namespaced else None, name, sub)

    def done(self, code_and_body):
        code, body = code_and_body
        assert code < 300, body
        return body

    def create(self, kind, body, namespace="default", **query):
        return self.done(self.call("POST", self._path(kind, namespace=namespace), body, **query))

    def get(self, kind, name, namespace="default", sub=""):
        return self.done(self.call("GET", self._path(kind, name, namespace, sub)))

    def list(self, kind, namespace="default", **query):
        return self.done(self.call("GET", self._path(kind, namespace=namespace), **query))["items"]

    def names(self, kind, namespace="default", **query):
        return [each["metadata"]["name"] for each in self.list(kind, namespace, **query)]

    def replace(self, kind, name, body, namespace="default", sub=""):
        return self.done(self.call("PUT", self._path(kind, name, namespace, sub), body))

    def patch(self, kind, name, body, namespace="default", sub="", how=STRATEGIC, **query):
        return self.done(self.call("PATCH", self._path(kind, name, namespace, sub), body, how, **query))

    def delete(self, kind, name, namespace="default", body=None, **query):
        return self.done(self.call("DELETE", self._path(kind, name, namespace), body, **query))

    def refusal(self, method, kind, name=None, body=None, namespace="default", sub="", how=None, **query):
        how = how or (STRATEGIC if method == "PATCH" else "application/json")
        code, status = self.call(method, self._path(kind, name, namespace, sub), body, how, **query)
        assert code >= 400, status
        assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
        return status

    def missing(self, kind, name, namespace="default"):
        return self.call("GET", self._path(kind, name, namespace))[0] == 404

    def prepare(self, namespace, limits=None):
        for manifest in namespace_objects(namespace, limits or Limits(), Security()):
            self.create(manifest["kind"], manifest, namespace)

    def events(self, reason, namespace="default"):
        return [event for event in self.list("Event", namespace) if event["reason"] == reason]

    def condition(self, kind, name, type_, namespace="default"):
        conditions = self.get(kind, name, namespace).get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == type_), None)


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def make():
    return Make()


CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Make:
    """Manifests of the smallest form that works."""

    closed = CLOSED

    def container(self, **changes):
        return {"name": "main", "image": "nginx:1", **changes}

    def pod(self, name="alone", labels=None, container=None, **spec):
        containers = [self.container(**(container or {}))]
        return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"containers": containers, **spec}}

    def workload(self, name="web", template=None, **spec):
        template = template or {"spec": {"containers": [self.container()]}}
        template = {"metadata": {"labels": {"app": name}}, **template}
        return {
            "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **spec},
        }

    def job(self, name="once", **spec):
        template = {"spec": {"restartPolicy": "Never", "containers": [self.container(command=["true"])]}}
        return {"metadata": {"name": name}, "spec": {"template": template, **spec}}

    def image(self, image):
        return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}

    def claim(self, name="data", **spec):
        size = {"requests": {"storage": "1Gi"}}
        return {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": size, **spec}}

    def definition(self, plural="gadgets", kind="Gadget", scope="Namespaced", **version):
        schema = {"openAPIV3Schema": {"type": "object"}}
        versions = [{"name": "v1", "served": True, "storage": True, "schema": schema, **version}]
        names = {"plural": plural, "kind": kind}
        spec = {"group": "example.com", "scope": scope, "names": names, "versions": versions}
        return {"metadata": {"name": f"{plural}.example.com"}, "spec": spec}
