"""Actions without a cluster: shell, api, manual, unknown."""

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.mock import Mock
from wpk_sandbox.package.package import ApiAction, ShellAction
from wpk_sandbox.package.units import human_seconds
from wpk_sandbox.run.actions.action import Call, Done, StepError, Streams
from wpk_sandbox.run.result import Limit
from wpk_sandbox.sandbox.clusters.refusals import missing
from wpk_sandbox.sandbox.sandbox import Completed, Ended

_LIMITS = {Ended.OUTPUT: Limit.OUTPUT, Ended.MEMORY: Limit.MEMORY, Ended.PROCESSES: Limit.PROCESSES}
_ADVICE = {
    Limit.OUTPUT: "write less, or write to a file",
    Limit.MEMORY: "use less memory, or raise the sandbox's limits",
    Limit.PROCESSES: "start fewer processes at once",
}
# What a shell answers by itself: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
_BY_CODE = {
    126: "the program cannot be executed",
    127: "the shell's image lacks a program; name another image in the settings",
}


def shell(call: Call) -> Done:
    """Run the command in the sandbox's shell, with the parameters in its environment."""
    action = call.step.step.action
    if not isinstance(action, ShellAction):
        raise TypeError(f"{action} is no shell command")
    if call.shell is None:
        raise SandboxError("the plan needs a shell, but the sandbox has none")
    call.deadline.check()
    done = call.shell.run(action.command, environment=call.environment, timeout=call.deadline.remaining())
    streams = Streams(done.stdout, done.stderr, done.truncated)
    if done.ended is not None:
        raise _ended(call, done, streams)
    if done.exit_code != 0:
        raise _failed(done, streams)
    return Done(f"exit code 0 in {human_seconds(done.seconds)}", output=done.stdout.strip(), streams=streams)


def api(call: Call) -> Done:
    """Nothing is sent: a mock answers, and where there is none, the answer that the author expects is assumed."""
    action = call.step.step.action
    if not isinstance(action, ApiAction):
        raise TypeError(f"{action} is no API call")
    if call.outside and (mock := call.outside.answer(action.method, action.url)):
        return _mocked(action, mock)
    status = action.expected_status[0] if action.expected_status else 200
    return Done(f"{action.method} {action.url}: {status} assumed")


def _mocked(action: ApiAction, mock: Mock) -> Done:
    body = mock.body.decode("utf-8", "replace")
    fine = mock.status in action.expected_status if action.expected_status else 200 <= mock.status < 300
    if not fine:
        expected = ", ".join(map(str, action.expected_status)) or "2xx"
        raise StepError(
            f"{action.method} {action.url}: {mock.status} (mock), expected {expected}",
            details=tuple(body.strip().splitlines()[:5]),
            advice="correct `expected_status`, or the mock",
            streams=Streams(body),
        )
    return Done(f"{action.method} {action.url}: {mock.status} (mock)", output=body.strip(), streams=Streams(body))


def manual(call: Call) -> Done:
    """Nobody is there to decide."""
    return Done("approval assumed")


def _ended(call: Call, done: Completed, streams: Streams) -> StepError:
    if done.ended is Ended.DEADLINE:
        error = call.deadline.error()
        return StepError(
            f"still running when {error}",
            details=_last_lines(done),
            advice="give it a longer timeout, or find out what it waits for",
            limit=error.limit,
            streams=streams,
        )
    limit = _LIMITS.get(done.ended) if done.ended else None
    what = f"hit the {limit}" if limit else "killed its own shell"
    message = f"{what}: {done.detail}" if done.detail else what
    advice = _ADVICE.get(limit, "") if limit else "end only processes that the command started"
    return StepError(message, details=_last_lines(done), advice=advice, limit=limit, streams=streams)


def _failed(done: Completed, streams: Streams) -> StepError:
    lines = _last_lines(done)
    if lacking := missing(done.stderr) or missing(done.stdout):
        return StepError(
            f"exit code {done.exit_code}: {lacking.message}", details=lines, advice=lacking.advice, streams=streams
        )
    last = lines[-1] if lines else "without a word"
    return StepError(
        f"exit code {done.exit_code}: {last}",
        details=lines[:-1],
        advice=_BY_CODE.get(done.exit_code or 0, ""),
        streams=streams,
    )


def _last_lines(done: Completed) -> tuple[str, ...]:
    """The last few lines of what the command complained about, else of what it said."""
    lines = [line.strip()[:200] for line in (done.stderr.strip() or done.stdout.strip()).splitlines()]
    return tuple(line for line in lines if line)[-5:]
