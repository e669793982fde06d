"""The package format as its authors write it: both dialects, every field, with what it means.

These models check what was written (`validate`) and are what the published JSON Schema is generated from. They are
not what the program works with: that is `package.Package`, which `build` makes.

The tags of the unions stand in angle brackets, so that they are never mistaken for a key in the path of an error.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from wpk_sandbox.package.actions import KubernetesConfig
from wpk_sandbox.package.fields import (
    Closed,
    Duration,
    FilledText,
    Free,
    Method,
    Moment,
    Name,
    Quantity,
    Scalar,
    SemanticVersion,
    Status,
    Text,
    incomplete,
)

API_VERSION = "v1"
KIND = "WorkflowPackage"
HANDLER_TYPES = ("k8s", "shell", "api")
STEP_ACTIONS = ("shell", "container", "kubernetes", "manual", "approval_required")

Mapping = dict[str, Any]


class Metadata(Closed):
    """What the package is called and who answers for it."""

    name: Name = Field(description="The name of the package, unique in the repository.")
    version: SemanticVersion | None = Field(None, description="Semantic version of the package.")
    description: Text | None = Field(None, description="What the runbook does, for a reader.")
    author: Text | None = Field(None, description="Who answers for it: a person, a team or an address.")
    created: Moment | None = Field(None, description="When it was written, ISO 8601.")
    tags: list[Text] | None = Field(None, description="Words to find it by.")
    signature: Text | None = Field(None, description="A cosign signature of the package; may be empty.")


class Requirements(Closed):
    """What the runbook needs, as Kubernetes quantities."""

    cpu: Quantity | None = Field(None, description="Cores: `500m`, `2`.")
    memory: Quantity | None = Field(None, description="Memory: `256Mi`, `4Gi`.")
    storage: Quantity | None = Field(None, description="Disk: `1Gi`.")


class Runtime(Closed):
    """What the runbook runs on."""

    type: Literal["k8s", "docker", "shell", "kubernetes", "container"] | None = Field(
        None,
        description="`k8s`, `docker` or `shell`; `kubernetes` and `container` are older words for the first two.",
    )
    version: Text | None = Field(None, description='A Kubernetes constraint in quotes, such as `"1.28+"`.')
    requirements: Requirements | None = Field(None, description="CPU, memory and storage.")


class Safety(Closed):
    """The author's own safety switches."""

    mode: Literal["manual", "auto"] | None = Field(
        None, description="`auto` fires without a person, and is held to a stricter policy."
    )
    approval_required: bool | None = Field(None, description="A person must approve before it runs.")
    dry_run_required: bool | None = Field(None, description="A dry run must have passed before it runs.")
    rollback_enabled: bool | None = Field(None, description="A failure is rolled back.")


class Trigger(Closed):
    """When the package fires."""

    type: Literal["webhook", "schedule", "event"] = Field(description="What fires it.")
    config: Mapping | None = Field(
        None, description="Free: `source`, `condition` in PromQL, `duration`, `cron`, `path`, `filters`."
    )


class Retry(Closed):
    """How often a failed try is repeated."""

    max_attempts: Annotated[int, Field(ge=1, le=100)] | None = Field(None, description="Tries in all.")
    backoff: Duration | None = Field(
        None, description="The wait before the second try; doubled for each further one."
    )


class ShellConfig(Closed):
    """A command line for `sh -c`."""

    command: FilledText = Field(description="The command line.")


class ApiConfig(Closed):
    """An HTTP call."""

    url: FilledText = Field(description="Where to.")
    method: Method | None = Field(None, description="GET where nothing is said.")
    headers: dict[str, Scalar] | None = Field(None, description="HTTP headers.")
    payload: Any = Field(None, description="The body; what is not text is sent as JSON.")
    expected_status: Status | None = Field(None, description="The status, or a list of them; 2xx if not given.")


class _Timed(Closed):
    """What handlers of dialect A and steps of dialect B share."""

    name: FilledText = Field(description="What a reader calls it.")
    timeout: Duration | None = Field(None, description="The most time that it may take, with its retries.")
    retry: Retry | None = Field(None, description="Try again after a failure.")


class KubernetesHandler(_Timed):
    """Dialect A: an action on Kubernetes objects."""

    type: Literal["k8s"]
    config: KubernetesConfig = Field(description="The action, its target and its options.")


class ShellHandler(_Timed):
    """Dialect A: a command line."""

    type: Literal["shell"]
    config: ShellConfig


class ApiHandler(_Timed):
    """Dialect A: an HTTP call."""

    type: Literal["api"]
    config: ApiConfig


class _Approved(_Timed):
    approval_required: bool | None = Field(None, description="A person approves the step before it runs.")


class ShellStep(_Approved):
    """Dialect B: a command line."""

    shell: ShellConfig


class EnvironmentVariable(Free):
    """A variable of a container."""

    name: FilledText
    value: Text | None = Field(None, description="Its value, in quotes where it looks like a number.")


class Container(Closed):
    """A Kubernetes container: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/."""

    image: FilledText = Field(description="The image, best with its digest.")
    name: FilledText | None = Field(None, description="The name of the container.")
    command: list[Text] | None = Field(None, description="The program, instead of the image's entrypoint.")
    args: list[Text] | None = Field(None, description="Its arguments.")
    env: list[EnvironmentVariable] | None = Field(None, description="Environment variables.")
    env_from: list[Mapping] | None = Field(None, alias="envFrom", description="Variables from other objects.")
    working_dir: Text | None = Field(None, alias="workingDir", description="The working folder.")
    ports: list[Mapping] | None = Field(None, description="Ports that it listens on.")
    resources: Mapping | None = Field(None, description="`requests` and `limits` of `cpu` and `memory`.")
    security_context: Mapping | None = Field(None, alias="securityContext", description="User and privileges.")
    volume_mounts: list[Mapping] | None = Field(None, alias="volumeMounts", description="Volumes that it sees.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, alias="imagePullPolicy", description="When the image is pulled."
    )
    lifecycle: Mapping | None = Field(None, description="Hooks after the start and before the end.")
    liveness_probe: Mapping | None = Field(None, alias="livenessProbe", description="Whether it is alive.")
    readiness_probe: Mapping | None = Field(None, alias="readinessProbe", description="Whether it is ready.")
    startup_probe: Mapping | None = Field(None, alias="startupProbe", description="Whether it has started.")
    stdin: bool | None = Field(None, description="Keep the standard input open.")
    tty: bool | None = Field(None, description="Give it a terminal.")


class ContainerStep(_Approved):
    """Dialect B: a container that runs to its end."""

    container: Container


class ObjectMetadata(Free):
    """The metadata of a Kubernetes object."""

    name: FilledText


class Object(Free):
    """A Kubernetes object."""

    api_version: FilledText = Field(alias="apiVersion", description="`v1`, `apps/v1`, …")
    kind: FilledText = Field(description="`Deployment`, `ConfigMap`, …")
    metadata: ObjectMetadata


class KubernetesStep(_Approved):
    """Dialect B: an object to apply."""

    kubernetes: Object


_ASKS_SOMEBODY: dict[str, Any] = {
    "anyOf": [
        {"required": [field], "properties": {field: {"const": True}}} for field in ("manual", "approval_required")
    ]
}


class ManualStep(_Timed, json_schema_extra=_ASKS_SOMEBODY):
    """Dialect B: a person's decision."""

    manual: bool | None = Field(None, description="A person does this step.")
    approval_required: bool | None = Field(None, description="A person approves.")

    @model_validator(mode="after")
    def _asks_somebody(self) -> "ManualStep":
        if not self.manual and not self.approval_required:
            raise incomplete("does nothing: it asks no person, and has no other action")
        return self


def handler_tag(handler: Any) -> str:
    """Which dialect, and in dialect A which type, a handler is written in."""
    if not isinstance(handler, dict) or "steps" in handler:
        return "<steps>"
    return f"<{handler.get('type')}>"


def step_tag(step: Any) -> str:
    """Which action a step of dialect B holds."""
    if not isinstance(step, dict):
        return "<manual>"
    actions = [name for name in STEP_ACTIONS[:3] if name in step]
    if len(actions) > 1:
        return "<several>"
    if actions:
        return f"<{actions[0]}>"
    return "<manual>" if step.get("manual") is not None or step.get("approval_required") is not None else "<>"


Step = Annotated[
    Annotated[ShellStep, Tag("<shell>")]
    | Annotated[ContainerStep, Tag("<container>")]
    | Annotated[KubernetesStep, Tag("<kubernetes>")]
    | Annotated[ManualStep, Tag("<manual>")],
    Discriminator(step_tag),
]


class StepsHandler(Closed):
    """Dialect B: steps that belong together."""

    name: FilledText = Field(description="What a reader calls it.")
    steps: list[Step] = Field(min_length=1, description="What is done, in order.")
    timeout: Duration | None = Field(None, description="The most time that all its steps may take.")


Handler = Annotated[
    Annotated[KubernetesHandler, Tag("<k8s>")]
    | Annotated[ShellHandler, Tag("<shell>")]
    | Annotated[ApiHandler, Tag("<api>")]
    | Annotated[StepsHandler, Tag("<steps>")],
    Discriminator(handler_tag),
]


class Rollback(Closed):
    """How to undo what the handlers did."""

    enabled: bool | None = Field(None, description="Whether there is a rollback.")
    handlers: list[Handler] | None = Field(None, description="What undoes it, in order.")


class Validation(Closed):
    """What the package says about its own bounds."""

    schema_version: Text | None = Field(None, description="The version of the format.")
    required_permissions: list[FilledText] | None = Field(
        None, description="What its service account may do: `deployments/scale`, `pods/get`, …"
    )
    resource_limits: Mapping | None = Field(None, description="Free.")


class Monitoring(Closed):
    """How the runbook is watched where it runs."""

    metrics_enabled: bool | None = Field(None, description="Whether it gives metrics.")
    logging_level: Literal["debug", "info", "warn", "error"] | None = Field(None, description="How much it logs.")
    alerts: list[Any] | None = Field(None, description="Free; often the URL of a webhook.")


class Spec(Closed):
    """What the runbook does."""

    handlers: list[Handler] = Field(min_length=1, description="What is done, in order.")
    runtime: Runtime | None = Field(None, description="What it runs on.")
    safety: Safety | None = Field(None, description="The author's own safety switches.")
    triggers: list[Trigger] | None = Field(None, description="When it fires.")
    rollback: Rollback | None = Field(None, description="How to undo it.")
    validation: Validation | None = Field(None, description="Permissions and limits.")
    monitoring: Monitoring | None = Field(None, description="Metrics, logs and alerts.")


class WorkflowPackage(Closed):
    """A runbook: when it fires, what it does to a cluster or a host, and how to undo it."""

    api_version: Literal["v1"] = Field(alias="apiVersion", description="The version of the format.")
    kind: Literal["WorkflowPackage"] = Field(description="Always `WorkflowPackage`.")
    metadata: Metadata = Field(description="What the package is called and who answers for it.")
    spec: Spec = Field(description="What the runbook does.")
