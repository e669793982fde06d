"""How much of a step is real in which sandbox, and why."""

from wpk_sandbox.package.mock import Mock, answering
from wpk_sandbox.package.package import (
    Action,
    ApiAction,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    ManualAction,
    ShellAction,
    UnknownAction,
)
from wpk_sandbox.package.verbs import VERBS
from wpk_sandbox.plan.plan import Fidelity, Origin, Target


def fidelity(action: Action, sandbox: str, mocks: tuple[Mock, ...] = ()) -> tuple[Fidelity, str]:
    """The fidelity of an action in a sandbox (`local`, `container`, `kind`), and the reason as half a sentence."""
    match action:
        case UnknownAction():
            answer = Fidelity.SKIPPED, action.reason
        case ManualAction():
            answer = Fidelity.SIMULATED, "nobody is there to decide, so the approval is assumed"
        case ApiAction():
            mock = answering(mocks, action.method, action.url)
            why = f"the network is closed, so the answer {_expected(action)} is assumed"
            answer = Fidelity.SIMULATED, f"answered by the mock of {mock.url}" if mock else why
        case ShellAction():
            answer = Fidelity.EXECUTED, "runs in the sandbox's shell"
        case KubernetesAction():
            answer = _in_cluster(
                sandbox, "done by the API server of a real cluster", "done by the simulated cluster"
            )
            if action.verb in VERBS and VERBS[action.verb].simulated:
                answer = Fidelity.SIMULATED, VERBS[action.verb].simulated
        case ManifestAction():
            answer = _in_cluster(sandbox, "applied to a real cluster", "applied to the simulated cluster")
        case ContainerAction():
            answer = _in_cluster(
                sandbox,
                "runs as a pod of a real cluster",
                "a pod of the simulated cluster, whose image does not run",
            )
    return answer


def on_what(target: Target | None, *, assumed_kind: str, stand_ins: tuple[str, ...]) -> str:
    """The rest of the sentence: why this target, where the author did not say it."""
    if target is None:
        return ""
    if target.kind == "Node":
        return ", on the sandbox's own node"
    ours = ", ".join(stand_ins)
    words = {Origin.EVENT: ", on what the event names", Origin.CASE: ", on the only one in the case"}.get(
        target.origin, ""
    )
    if target.origin is Origin.STAND_IN:
        words = f", on the stand-in {ours or target}, because neither package nor event names a target"
    elif stand_ins:
        words += f", with a stand-in for {ours}, because nobody provides it"
    if assumed_kind:
        words += f"; without a resource_type a {assumed_kind} is assumed"
    return words


def _in_cluster(sandbox: str, real: str, simulated: str) -> tuple[Fidelity, str]:
    return (Fidelity.EXECUTED, real) if sandbox == "kind" else (Fidelity.SIMULATED, simulated)


def _expected(action: ApiAction) -> str:
    return str(action.expected_status[0]) if action.expected_status else "200"
