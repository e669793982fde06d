"""Removes what earlier runs left behind: what carries our labels and has expired, or is of a run that is named.

Runs remove their own things; this is for those that could not, because they or their host were killed. Nothing
without our labels is touched, but for what can carry none: the nodes of a kind cluster on a network of ours, and
control groups with our name.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.folder import marked_folders, remove_folder
from wpk_sandbox.sandbox.ledger import EXPIRES_LABEL, OWNER_LABEL, RUN_LABEL, Left, Tally
from wpk_sandbox.sandbox.orphans import CGROUP_PREFIX, end_cgroups
from wpk_sandbox.sandbox.shells.groups import hierarchies

log = logging.getLogger(__name__)

# How long a control group is taken for one in use: longer than a sandbox that is kept.
GROUP_LIFE = timedelta(hours=25)
GROUP_TIMEOUT = 2.0

# What kind puts on each of its nodes.
KIND_LABEL = "io.x-k8s.kind.cluster"


@dataclass(frozen=True)
class Leftover:
    """One thing of an earlier run. `expires` is None when its label cannot be read."""

    kind: str
    name: str
    run_id: str
    expires: datetime | None
    remove: Callable[[], None] = field(repr=False, compare=False)
    owner: str = ""


def leftovers(*, now: datetime, everything_of_run: str | None = None) -> tuple[Leftover, ...]:
    """What `reap` would remove, in its order. Where no Docker daemon answers, folders only.

    Raises `UnavailableError` when the daemon stops answering.
    """
    on_daemon = daemon.why_not() is None
    return tuple(thing for thing in _everything(on_daemon) if _due(thing, now, everything_of_run))


def made_by(owner: str, clusters: Iterable[str] = (), *, on_daemon: bool = True) -> tuple[Leftover, ...]:
    """What one process made, by its token, in the order of removal; and the nodes of its kind clusters.

    Raises `UnavailableError` when the daemon does not answer.
    """
    nodes = [node for cluster in clusters for node in _nodes_of(cluster, owner)]
    return (*nodes, *(thing for thing in _everything(on_daemon) if thing.owner == owner))


def reap(*, now: datetime, everything_of_run: str | None = None) -> Tally:
    """Remove what has expired, and everything of the run that is named; `made` counts what was found.

    What cannot be removed is in the tally with its reason. Raises `UnavailableError` when the daemon stops
    answering while things are looked for.
    """
    found = leftovers(now=now, everything_of_run=everything_of_run)
    left = []
    for thing in found:
        try:
            thing.remove()
        except (UnavailableError, OSError) as error:
            left.append(Left(thing.kind, thing.name, str(error)))
        else:
            log.info("removed the %s %s of run %s", thing.kind, thing.name, thing.run_id)
    return Tally(made=len(found), removed=len(found) - len(left), left=tuple(left))


def _everything(on_daemon: bool) -> list[Leftover]:
    here = [*_folders(), *_groups()]
    return [*_containers(), *_networks(), *_volumes(), *here] if on_daemon else here


def _due(thing: Leftover, now: datetime, run_id: str | None) -> bool:
    """A thing whose expiry cannot be read stays, unless its run is named: it may be in use."""
    return thing.run_id == run_id or (thing.expires is not None and thing.expires <= now)


def _containers() -> Iterator[Leftover]:
    with daemon.translated("list containers"):
        listed = daemon.client().api.containers(all=True, filters={"label": RUN_LABEL})
    for container in listed:
        remove = partial(daemon.remove_container, container["Id"])
        yield _labelled("container", container, _name_of(container), remove)


def _networks() -> Iterator[Leftover]:
    """Networks, each after the kind nodes on it, which would hold it."""
    with daemon.translated("list networks"):
        listed = daemon.client().api.networks(filters={"label": RUN_LABEL})
    for network in listed:
        # By its id, because two networks can have the same name.
        thing = _labelled("network", network, network["Name"], partial(daemon.remove_network, network["Id"]))
        yield from _kind_nodes([network["Id"], network["Name"]], thing)
        yield thing


def _kind_nodes(network_names: list[str], network: Leftover) -> Iterator[Leftover]:
    """The nodes on a network; one that was never started is found by the network's name only."""
    with daemon.translated("list the nodes of kind clusters"):
        filters = {"network": network_names, "label": KIND_LABEL}
        listed = daemon.client().api.containers(all=True, filters=filters)
    for node in listed:
        remove = partial(daemon.remove_container, node["Id"])
        yield Leftover("kind node", _name_of(node), network.run_id, network.expires, remove, network.owner)


def _nodes_of(cluster: str, owner: str) -> Iterator[Leftover]:
    """The nodes of a cluster by its own label: those that are made late find no network any more."""
    with daemon.translated(f"list the nodes of {cluster}"):
        listed = daemon.client().api.containers(all=True, filters={"label": f"{KIND_LABEL}={cluster}"})
    for node in listed:
        remove = partial(daemon.remove_container, node["Id"])
        yield Leftover("kind node", _name_of(node), "", None, remove, owner)


def _volumes() -> Iterator[Leftover]:
    with daemon.translated("list volumes"):
        listed = daemon.client().api.volumes(filters={"label": RUN_LABEL})["Volumes"] or ()
    for volume in listed:
        yield _labelled("volume", volume, volume["Name"], partial(daemon.remove_volume, volume["Name"]))


def _folders() -> Iterator[Leftover]:
    for path, labels in marked_folders():
        yield _labelled("folder", {"Labels": labels}, str(path), partial(remove_folder, path))


def _groups() -> Iterator[Leftover]:
    """Control groups, which can carry no label: the name tells the run, and their age that it is over."""
    for hierarchy in hierarchies():
        for path in sorted(hierarchy.base.glob(f"{CGROUP_PREFIX}-*")):
            with suppress(OSError):
                run_id = path.name.removeprefix(f"{CGROUP_PREFIX}-").rpartition("-")[0]
                expires = datetime.fromtimestamp(path.stat().st_mtime, UTC) + GROUP_LIFE
                yield Leftover("cgroup", str(path), run_id, expires, partial(_remove_group, path))


def _remove_group(path: Path) -> None:
    """Kill what is in a group, and remove it. Raises OSError when it remains."""
    until = time.monotonic() + GROUP_TIMEOUT
    while path.exists():
        end_cgroups([str(path)])
        if time.monotonic() > until:
            raise OSError(f"processes in {path} did not end")
        time.sleep(0.02)


def _labelled(kind: str, thing: Mapping[str, Any], name: str, remove: Callable[[], None]) -> Leftover:
    labels = thing["Labels"] or {}
    owner = labels.get(OWNER_LABEL, "")
    return Leftover(kind, name, labels.get(RUN_LABEL, ""), _expiry(labels), remove, owner)


def _name_of(container: Mapping[str, Any]) -> str:
    """Its name; while it is being removed it has none, and its id must do."""
    return str((container["Names"] or [container["Id"]])[0]).removeprefix("/")


def _expiry(labels: Mapping[str, str]) -> datetime | None:
    try:
        return datetime.strptime(labels.get(EXPIRES_LABEL, ""), "%Y-%m-%dT%H:%M:%S%z")
    except (TypeError, ValueError):
        return None
