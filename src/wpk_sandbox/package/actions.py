"""The actions of `type: k8s` as their authors write them: a verb, what it acts on, and the verb's own options."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from wpk_sandbox.package.fields import (
    Closed,
    Duration,
    Factor,
    FilledText,
    Flag,
    Positive,
    Replicas,
    ResourceType,
    Revision,
    Scalar,
    Selector,
    incomplete,
)

Mapping = dict[str, Any]


class Target(Closed):
    """What every Kubernetes action may name; what is missing comes from the trigger's event."""

    resource_type: ResourceType | None = Field(None, description="The kind: `deployment`, `pod`, `job`, …")
    name: FilledText | None = Field(None, description="The name of the object.")
    namespace: FilledText | None = Field(None, description="Its namespace.")
    selector: Selector | None = Field(None, description="Labels of the objects, instead of a name.")


class Logs(Target):
    """Read the logs of pods."""

    action: Literal["logs"]
    lines: Positive | None = Field(None, description="How many lines from the end.")
    previous: Flag | None = Field(None, description="Of the container's previous run.")


class Events(Target):
    """Read the events of an object."""

    action: Literal["events"]


class Get(Target):
    """Read an object, or one field of it."""

    action: Literal["get"]
    field: FilledText | None = Field(None, description="The field, with dots: `status.phase`.")


class Wait(Target):
    """Wait until an object is in a condition."""

    action: Literal["wait"]
    condition: FilledText = Field(description="`ready`, `available`, `complete`, `deleted`, or a condition's type.")
    timeout: Duration | None = Field(None, description="How long to wait.")


class Restart(Target):
    """Restart the pods of a workload, or a pod."""

    action: Literal["restart"]
    grace_period: Duration | None = Field(None, description="How long a pod may take to end.")


class Scale(Target, json_schema_extra={"anyOf": [{"required": ["replicas"]}, {"required": ["scale_factor"]}]}):
    """Set the number of replicas."""

    action: Literal["scale"]
    replicas: Replicas | None = Field(None, description="The number, or `original`: the one before the run.")
    scale_factor: Factor | None = Field(None, description="Multiply the number by this, instead of `replicas`.")
    max_replicas: Positive | None = Field(None, description="The most that `scale_factor` may come to.")

    @model_validator(mode="after")
    def _says_how_many(self) -> "Scale":
        if self.replicas is None and self.scale_factor is None:
            raise incomplete("says neither `replicas` nor `scale_factor`")
        return self


class Patch(Target):
    """Change an object."""

    action: Literal["patch"]
    data: Mapping | FilledText = Field(
        description="Keys of a ConfigMap or Secret, a merge patch of any other kind, `original`, or the name of"
        " what an earlier handler produced."
    )


class Annotate(Target):
    """Set an annotation."""

    action: Literal["annotate"]
    annotation: FilledText = Field(description="The key of the annotation.")
    value: Scalar | None = Field(None, description="Its value, or `original`: the one before the run.")


class Create(Target, extra="allow"):
    """Make an object: from a template, or of `resource_type` with the members that stand beside it."""

    action: Literal["create"]
    template: Mapping | FilledText | None = Field(None, description="The object, or the name of one that exists.")


class Copy(Target, extra="allow"):
    """Copy an object; the format leaves its options free."""

    action: Literal["copy"]


class Restore(Target, extra="allow"):
    """Bring an object back; the format leaves its options free."""

    action: Literal["restore"]


class Metrics(Target):
    """Read metrics."""

    action: Literal["metrics"]
    query: FilledText | None = Field(None, description="A query in PromQL.")


class RollbackAction(Target):
    """Bring a workload back to an earlier revision."""

    action: Literal["rollback"]
    revision: Revision | None = Field(None, description="The number of the revision, or `previous`.")


class Apply(Target):
    """Apply manifests."""

    action: Literal["apply"]
    manifest: Mapping | list[Mapping] | FilledText = Field(
        description="An object, a list of them, or the path of a file in the repository."
    )


class Delete(Target):
    """Delete objects."""

    action: Literal["delete"]
    grace_period: Duration | None = Field(None, description="How long a pod may take to end.")


class Run(Target, extra="allow"):
    """Run a job; beside its manifest the format leaves its options free."""

    action: Literal["run"]
    manifest: Mapping | list[Mapping] | FilledText | None = Field(
        None, description="The job, a list of objects, or the path of a file in the repository."
    )


KUBERNETES_ACTIONS: dict[str, type[Target]] = {
    "logs": Logs,
    "events": Events,
    "get": Get,
    "wait": Wait,
    "restart": Restart,
    "scale": Scale,
    "patch": Patch,
    "annotate": Annotate,
    "create": Create,
    "copy": Copy,
    "restore": Restore,
    "metrics": Metrics,
    "rollback": RollbackAction,
    "apply": Apply,
    "delete": Delete,
    "run": Run,
}


def action_tag(config: Any) -> str:
    """Which model a `config` of `type: k8s` is held against."""
    action = config.get("action") if isinstance(config, dict) else getattr(config, "action", None)
    return f"<{action}>" if isinstance(action, str) else "<>"


KubernetesConfig = Annotated[
    Annotated[Logs, Tag("<logs>")]
    | Annotated[Events, Tag("<events>")]
    | Annotated[Get, Tag("<get>")]
    | Annotated[Wait, Tag("<wait>")]
    | Annotated[Restart, Tag("<restart>")]
    | Annotated[Scale, Tag("<scale>")]
    | Annotated[Patch, Tag("<patch>")]
    | Annotated[Annotate, Tag("<annotate>")]
    | Annotated[Create, Tag("<create>")]
    | Annotated[Copy, Tag("<copy>")]
    | Annotated[Restore, Tag("<restore>")]
    | Annotated[Metrics, Tag("<metrics>")]
    | Annotated[RollbackAction, Tag("<rollback>")]
    | Annotated[Apply, Tag("<apply>")]
    | Annotated[Delete, Tag("<delete>")]
    | Annotated[Run, Tag("<run>")],
    Discriminator(action_tag),
]
