"""What the cluster and the network bring into a shell, whichever it is: routes, files, variables."""

from wpk_sandbox.sandbox.sandbox import Route, SandboxSpec, ShellAccess


def routes(spec: SandboxSpec) -> tuple[Route, ...]:
    """Everything that the shell may reach: the cluster's API first, then what the settings let in."""
    return (*(spec.access.routes if spec.access else ()), *spec.network.routes)


def given(spec: SandboxSpec) -> ShellAccess:
    """The same with files and variables; where both name one, the cluster's stands."""
    access, network = spec.access or ShellAccess(), spec.network
    return ShellAccess(
        {**network.files, **access.files},
        {**network.environment, **access.environment},
        routes(spec),
    )
