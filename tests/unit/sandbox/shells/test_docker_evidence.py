from wpk_sandbox.sandbox.sandbox import Evidence, Limits, SandboxSpec
from wpk_sandbox.sandbox.shells.docker_evidence import _kernel
from wpk_sandbox.sandbox.shells.probe import Answers

LIMITS = Limits(step_memory=1024**3, processes=100)
SEEN = Answers("Seccomp:\t2\nmemory.max\t1073741824\npids.max\t100\n")
UNSEEN = Answers("Seccomp:\t0\n")


def kernel(answers: Answers, runtime: str = "") -> list[Evidence]:
    return _kernel(answers, SandboxSpec(limits=LIMITS, runtime=runtime))


def test_filter_and_limits_must_be_seen_inside() -> None:
    assert [each.held for each in kernel(SEEN)] == [True, True, True]
    assert [each.held for each in kernel(UNSEEN)] == [False, False, False]
    assert [each.held for each in kernel(UNSEEN, "crun")] == [False, False, False]


def test_that_denied_calls_are_not_recorded_is_said() -> None:
    assert kernel(SEEN)[0].seen == "Seccomp 2, own profile; what it denies is not recorded"


def test_a_runtime_with_a_kernel_of_its_own_shows_nothing_of_the_hosts_and_that_is_said() -> None:
    found = kernel(UNSEEN, "runsc")
    assert all(each.held for each in found)
    assert {each.seen for each in found} == {
        "not to be seen inside of the runtime `runsc`, which brings a kernel of its own"
    }
    assert "1 GiB" in {each.seen for each in kernel(SEEN, "kata")}
