"""The objects in the files that a package names, for the rules about objects: each document as if it was a package.

Every place then points into the file, and no rule needs to know that an object stands beside its package.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from wpk_sandbox.package.attached import referenced_paths
from wpk_sandbox.package.package import (
    Document,
    Handler,
    KubernetesAction,
    ManifestAction,
    Package,
    Rollback,
    Step,
)


def attached(package: Package) -> Iterator[Package]:
    """A package for each document of the named files, with a step that applies it; of each file once."""
    told: set[str] = set()
    for handler in (*package.handlers, *package.rollback.handlers):
        for step in handler.steps:
            if not isinstance(step.action, KubernetesAction):
                continue
            for path in referenced_paths(step.action):
                if path not in told:
                    yield from (applied(package, step, each) for each in package.files.get(path, ()))
                told.add(path)


def applied(package: Package, step: Step, document: Document) -> Package:
    """The package, with nothing in it but the application of a document: of an object, or of a list of them."""
    several = isinstance(document.data, list)
    objects = (
        [(f"/{index}", item) for index, item in enumerate(document.data)] if several else [("", document.data)]
    )
    steps = tuple(
        Step(step.name, ManifestAction(item, pointer), "") for pointer, item in objects if isinstance(item, Mapping)
    )
    return replace(
        package,
        document=document,
        handlers=(Handler(step.name, steps, ""),),
        rollback=Rollback(),
        triggers=(),
        runtime=replace(package.runtime, requirements={}),
        resource_limits={},
        files={},
    )
