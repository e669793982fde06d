"""The fields of Kubernetes objects in every release since 1.25.

`schemas.json` is made from the OpenAPI documents that the Kubernetes project publishes with each release
(Apache-2.0), by `scripts/kubernetes_schemas.py`. It is read when the first object is examined, in some
milliseconds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

OLDEST, NEWEST = 25, 37


@dataclass(frozen=True)
class Type:
    """An object with known fields. Each field's type is one word: `string`, `[]T`, `{}T`, or a type's name."""

    fields: Mapping[str, str]
    required: tuple[str, ...]


def of_kind(api_version: str, kind: str, minor: int) -> str | None:
    """The name of the type of an object, or None where this release does not serve it."""
    place = _data()["kinds"].get(api_version, {}).get(kind)
    return str(place[0]) if place and place[1] <= minor <= place[2] else None


@cache
def type_named(name: str, minor: int) -> Type | None:
    """A type in a release, or None for a word such as `string` that is none.

    A field counts as required only if every later release requires it too: where one was let go (`serviceName` of a
    StatefulSet) the schema was put right, and the API server had never asked for it.
    """
    every = _data()["types"].get(name, ())
    variants = [variant for variant in every if variant[0] <= minor]
    if not variants:
        return None
    later = [set(variant[2]) for variant in every[len(variants) - 1 :]]
    return Type(variants[-1][1], tuple(sorted(set.intersection(*later))))


def since(name: str, field: str, minor: int) -> int | None:
    """The first release after `minor` in which a type has a field; None when it never has."""
    variants = _data()["types"].get(name, ())
    return next((variant[0] for variant in variants if variant[0] > minor and field in variant[1]), None)


def served(kind: str) -> tuple[tuple[str, int, int], ...]:
    """Where a kind is found: each API version, with the first and the last release that serve it."""
    return tuple(
        (version, place[1], place[2]) for version, kinds in _data()["kinds"].items() if (place := kinds.get(kind))
    )


def kinds_of(api_version: str) -> tuple[str, ...]:
    """The kinds of an API version, in any release."""
    return tuple(_data()["kinds"].get(api_version, ()))


@cache
def groups() -> frozenset[str]:
    """The API groups that come with Kubernetes; nobody else may define kinds in them. Core is empty."""
    return frozenset(version.rpartition("/")[0] for version in _data()["kinds"])


@cache
def _data() -> Any:
    return json.loads(files(__package__).joinpath("schemas.json").read_text(encoding="utf-8"))
