"""The table as the profile that Docker takes, for the daemon's own machine whichever it is.

The daemon hands it to its runtime, whose libseccomp makes the filter; names that it does not know, because it is
older or its machine never had the call, are passed over. https://docs.docker.com/engine/security/seccomp/
"""

import errno
import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from wpk_sandbox.sandbox.seccomp.table import ALLOWED, CONDITIONS, DENIED, OBSOLETE, WORD, Argument

_ARCHITECTURES = ("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64")

# More values than this are not listed one by one to refuse them; they then get the profile's ENOSYS.
_LISTED = 16

# What one argument is compared with, in Docker's words.
_Comparison = dict[str, Any]


@cache
def docker_profile() -> str:
    """The profile as JSON, for `security_opt`: `seccomp=<this>`."""
    profile = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        # Without those of 32 bits and of x32, whose numbers mean something else.
        "archMap": [{"architecture": name, "subArchitectures": []} for name in _ARCHITECTURES],
        "syscalls": [
            _allow(*ALLOWED),
            *(_refuse(*denial.calls, number=denial.errno) for denial in DENIED),
            # The profile's own default is newer than Docker 20.10, which knows EPERM alone.
            _refuse(*OBSOLETE, number=errno.ENOSYS),
            *(rule for condition in CONDITIONS for rule in _decided(condition.call, condition.cases)),
        ],
    }
    return json.dumps(profile, separators=(",", ":"))


def _allow(*calls: str, args: tuple[_Comparison, ...] = ()) -> dict[str, Any]:
    return {"names": calls, "action": "SCMP_ACT_ALLOW", "args": args}


def _refuse(*calls: str, args: tuple[_Comparison, ...] = (), number: int = errno.EPERM) -> dict[str, Any]:
    return {"names": calls, "action": "SCMP_ACT_ERRNO", "errnoRet": number, "args": args}


def _decided(
    call: str, cases: Sequence[tuple[Argument, ...]], before: tuple[_Comparison, ...] = ()
) -> Iterator[dict[str, Any]]:
    """Rules that never overlap, because libseccomp does not say which of two that hold it takes.

    It cannot say "none of these" either, so values that lead to a refusal are listed. Cases that have the same
    arguments so far go on with the same argument.
    """
    first = cases[0][0]
    named = tuple(value for case in cases for value in case[0].values)
    for comparison in _none_of(Argument(first.number, named, first.mask)):
        yield _refuse(call, args=(*before, comparison))
    for argument, group in groupby(cases, key=itemgetter(0)):
        rest = [case[1:] for case in group]
        for value in argument.values:
            so_far = (*before, _is(argument, value))
            if all(rest):
                yield from _decided(call, rest, so_far)
            else:
                yield _allow(call, args=so_far)


def _none_of(argument: Argument) -> list[_Comparison]:
    """Comparisons of which one holds for each value of the argument that is not named."""
    if argument.mask != WORD and argument.values == (0,):
        bits = (1 << bit for bit in range(32) if argument.mask >> bit & 1)
        return [_masked(argument.number, bit, bit) for bit in bits]
    if argument.mask != WORD:
        step = argument.mask & -argument.mask
        others = (value for value in range(0, argument.mask + 1, step) if value not in argument.values)
        return [_masked(argument.number, argument.mask, value) for value in others]
    highest = max(argument.values)
    if highest > _LISTED:
        return []
    below = (value for value in range(highest) if value not in argument.values)
    return [*(_is(argument, value) for value in below), _compared(argument.number, "SCMP_CMP_GT", highest)]


def _is(argument: Argument, value: int) -> _Comparison:
    if argument.mask != WORD:
        return _masked(argument.number, argument.mask, value)
    return _compared(argument.number, "SCMP_CMP_EQ", value)


def _masked(number: int, mask: int, value: int) -> _Comparison:
    return {"index": number, "op": "SCMP_CMP_MASKED_EQ", "value": mask, "valueTwo": value}


def _compared(number: int, operator: str, value: int) -> _Comparison:
    return {"index": number, "op": operator, "value": value}
