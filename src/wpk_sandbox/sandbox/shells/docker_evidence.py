"""How closed a container shell is: measured inside as the commands' user, and outside by what the daemon made.

One command does all that is tried inside, the canary too, so that it costs one start (80 ms).
"""

import functools
from collections.abc import Callable
from typing import Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import canary, daemon
from wpk_sandbox.sandbox.gate.netlink import NAME as GATE_DEVICE
from wpk_sandbox.sandbox.sandbox import Evidence, SandboxSpec
from wpk_sandbox.sandbox.shells import probe
from wpk_sandbox.sandbox.shells.docker_exec import execute
from wpk_sandbox.sandbox.shells.docker_options import facts
from wpk_sandbox.sandbox.shells.docker_posture import posture_evidence, user_map_evidence
from wpk_sandbox.sandbox.shells.given import routes
from wpk_sandbox.sandbox.shells.output import STDOUT

# Seconds for everything inside: more than all attempts together take when each waits in vain for an answer.
TIMEOUT = 60.0
_OUTPUT = 256 * 1024

# Runtimes that put a kernel between the container and the host's: the host's filter and limits are around that one.
_OWN_KERNEL = ("runsc", "kata")


def measured(container: str, spec: SandboxSpec, ready: Callable[[], bool]) -> tuple[Evidence, ...]:
    """All evidence of a running container; `ready` waits for its gate, and says whether one stands.

    Raises `UnavailableError`.
    """
    tried = canary.targets(bridge_gateway(), routes(spec))
    script = f"({probe.POSTURE})\n{canary.script(tried)}"
    gate = False

    def look() -> None:
        nonlocal gate
        facts()  # which is remembered
        gate = ready()

    outcome = execute(container, script, {}, timeout=TIMEOUT, output_limit=_OUTPUT, meanwhile=look)
    answers = probe.Answers(outcome.output.text(STDOUT))
    with daemon.translated("look at the shell's container"):
        inspected = daemon.client().api.inspect_container(container)
    return (
        *probe.common_evidence(answers, allowed=spec.security.add_capabilities),
        probe.storage_evidence(answers),
        probe.host_files_evidence(answers),
        probe.network_evidence(answers, device=GATE_DEVICE if gate else ""),
        *_kernel(answers, spec),
        user_map_evidence(answers.one("user map")),
        *posture_evidence(inspected, facts(), spec),
        *canary.evidence(answers, tried, gate=gate),
    )


def _kernel(answers: probe.Answers, spec: SandboxSpec) -> list[Evidence]:
    """What the host's kernel enforces, as it is seen from inside."""
    seccomp = answers.one("Seccomp:")
    words = f"Seccomp {seccomp or 'unknown'}, own profile; what it denies is not recorded"
    found = [
        Evidence("system call filter", seccomp == "2", words),
        *probe.group_limits_evidence(answers, spec.limits),
    ]
    if not spec.runtime.startswith(_OWN_KERNEL):
        return found
    words = f"not to be seen inside of the runtime `{spec.runtime}`, which brings a kernel of its own"
    return [each if each.held else Evidence(each.probe, True, words) for each in found]


def bridge_gateway() -> str | None:
    """The host's address on the network that a container gets when nobody asks; None where there is none."""
    return _bridge_gateway(daemon.client())


@functools.cache
def _bridge_gateway(client: Any) -> str | None:
    try:
        with daemon.translated("look at the daemon's own network"):
            configured = client.api.inspect_network("bridge")["IPAM"]["Config"] or ()
    except UnavailableError:
        return None
    return next((str(each["Gateway"]) for each in configured if each.get("Gateway")), None)
