"""Docker's profile is judged here as libseccomp would, and must say what the kernel's own filter says."""

import errno
import json
from collections.abc import Iterator

import pytest

from wpk_sandbox.sandbox.seccomp.bpf import ALLOW, ERRNO
from wpk_sandbox.sandbox.seccomp.numbers import NUMBERS
from wpk_sandbox.sandbox.seccomp.profile import docker_profile
from wpk_sandbox.sandbox.seccomp.table import ALLOWED, CONDITIONS, DENIED, OBSOLETE

PROFILE = json.loads(docker_profile())
COMPARE = {
    "SCMP_CMP_EQ": lambda given, rule: given == rule["value"],
    "SCMP_CMP_GT": lambda given, rule: given > rule["value"],
    "SCMP_CMP_MASKED_EQ": lambda given, rule: given & rule["value"] == rule["valueTwo"],
}


def verdicts(call: str, *arguments: int) -> set[int]:
    """What each rule that holds says: none is the default, two different ones are a mistake."""
    return {
        ALLOW if rule["action"] == "SCMP_ACT_ALLOW" else ERRNO | rule["errnoRet"]
        for rule in PROFILE["syscalls"]
        if call in rule["names"]
        and all(COMPARE[each["op"]](arguments[each["index"]], each) for each in rule["args"])
    }


def verdict(call: str, *arguments: int) -> int:
    said = verdicts(call, *arguments) or {ERRNO | PROFILE["defaultErrnoRet"]}
    (only,) = said
    return only


def test_every_call_is_named_and_others_do_not_exist() -> None:
    named = {name for rule in PROFILE["syscalls"] for name in rule["names"]}
    assert named == {name for numbers in NUMBERS.values() for name in numbers}
    assert verdict("some_call_of_a_newer_kernel") == ERRNO | errno.ENOSYS


def test_calls_without_conditions_are_as_the_table_says() -> None:
    assert {call for call in ALLOWED if verdict(call) != ALLOW} == set()
    assert {call for denial in DENIED for call in denial.calls if verdict(call) != ERRNO | denial.errno} == set()
    assert {call for call in OBSOLETE if verdict(call) != ERRNO | errno.ENOSYS} == set()


def samples(call: str) -> Iterator[tuple[int, ...]]:
    interesting = {
        "clone": [(1 << bit | 17,) for bit in range(8, 32)] + [(17,), (0x3D0F00,)],
        "personality": [(0,), (8,), (0xFFFF_FFFF,), (0x40000,), (9,)],
        "mknod": [(0, kind << 12 | 0o644) for kind in range(16)],
        "mknodat": [(0, 0, kind << 12 | 0o644) for kind in range(16)],
        "socketpair": [(family, 1, 0) for family in range(64)],
        "socket": [
            (family, kind | flags, protocol)
            for family in range(48)
            for kind in range(16)
            for flags in (0, 0o2004000)
            for protocol in (0, 1, 2, 6, 12, 17, 58, 132, 136, 255, 262)
        ],
    }
    return iter(interesting[call])


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.call)
def test_conditions_allow_the_same_as_the_table_and_never_contradict_each_other(condition) -> None:
    outcomes = set()
    for arguments in samples(condition.call):
        allowed = any(
            all(arguments[each.number] & each.mask in each.values for each in case) for case in condition.cases
        )
        said = verdict(condition.call, *arguments)
        assert (said == ALLOW) is allowed, arguments
        outcomes.add(allowed)
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("clone", (0x1000_0011,)),
        ("mknodat", (0, 0, 0o060644)),
        *(("socket", (family, 1, 0)) for family in (0, 17, 38, 40, 99)),
        ("socket", (2, 3, 1)),
        ("socket", (16, 3, 12)),
        ("socketpair", (30, 1, 0)),
    ],
)
def test_what_programs_may_ask_for_is_refused_in_the_usual_words(call: str, arguments: tuple[int, ...]) -> None:
    assert verdict(call, *arguments) == ERRNO | errno.EPERM


def test_machines_get_no_second_architecture() -> None:
    assert all(not each["subArchitectures"] for each in PROFILE["archMap"])
