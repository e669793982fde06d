"""Every cluster passes the same suite, the simulated and the real one, each opened once for all of it."""

import importlib
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from cluster_suite import IMAGE
from kubernetes.client import AppsV1Api, BatchV1Api, CoreV1Api

from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec

# What the package of the suite may do; test_cluster_rights holds the clusters to it.
PERMISSIONS = (
    *("configmaps/get", "configmaps/create", "configmaps/patch", "deployments/patch", "deployments/scale"),
    *("pods/create", "pods/log", "nodes/patch", "nodes/proxy", "secrets/create", "services/*", "namespaces/*"),
    *("persistentvolumes/*", "customresourcedefinitions/*", "rolebindings/*", "clusterrolebindings/*"),
    *("resourcequotas/*", "networkpolicies/*", "serviceaccounts/*", "validatingwebhookconfigurations/*"),
)
numbers = itertools.count(1)


@pytest.fixture(
    scope="package",
    params=["simulated", pytest.param("kind", marks=pytest.mark.needs("kind"))],
)
def cluster(request):
    module = importlib.import_module(f"wpk_sandbox.sandbox.clusters.{request.param}")
    provider = getattr(module, request.param.upper())
    spec = SandboxSpec(permissions=PERMISSIONS)
    assert provider.why_not(spec) is None
    ledger = Ledger("contract", datetime.now(UTC) + timedelta(hours=1))
    with provider.open(spec, ledger) as opened:
        assert opened.load_images([IMAGE]) == ()
        yield opened
    tally = ledger.close()
    assert tally.made == tally.removed >= 1, tally


@pytest.fixture
def namespace(cluster):
    name = f"contract-{next(numbers)}"
    cluster.prepare(name)
    yield name
    CoreV1Api(cluster.api).delete_namespace(name)


@pytest.fixture
def apps(cluster):
    return AppsV1Api(cluster.api)


@pytest.fixture
def core(cluster):
    return CoreV1Api(cluster.api)


@pytest.fixture
def batch(cluster):
    return BatchV1Api(cluster.api)
