"""The table as a program for seccomp(2): classic BPF, in the byte order of the machine.

The kernel runs it at each call (linux/seccomp.h, linux/filter.h). It looks at the architecture first, then finds
the call's number by halving, so that no call costs more than about ten instructions; and a kernel from 5.11 on
remembers which calls are always allowed.
"""

import errno
import struct
from collections.abc import Iterable, Mapping
from itertools import groupby

from wpk_sandbox.sandbox.seccomp.numbers import NUMBERS
from wpk_sandbox.sandbox.seccomp.table import ALLOWED, CONDITIONS, DENIED, LOCAL_CONDITIONS, Argument, Condition

# linux/seccomp.h
ALLOW, ERRNO, USER_NOTIF = 0x7FFF_0000, 0x0005_0000, 0x7FC0_0000
# linux/audit.h
ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
# asm/unistd.h: a call of the x32 interface has this bit set; there is none on other machines.
_X32 = 0x4000_0000

# struct seccomp_data: the number, the architecture, the instruction's address, and six arguments of 64 bits.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

# linux/bpf_common.h
_LOAD, _AND = 0x20, 0x54
_JUMP, _IF_EQUAL, _IF_AT_LEAST = 0x05, 0x15, 0x35
_RETURN = 0x06
_INSTRUCTION = struct.Struct("=HBBI")

# One instruction: its code, how many to pass over if the test holds and if it does not, and its constant.
_Instruction = tuple[int, int, int, int]
# What becomes of a call: what the filter returns, or the condition that decides.
_Fate = int | Condition


def filter_program(architecture: str, *, notify: bool = False, network: bool = True) -> bytes:
    """The filter for a machine (`platform.machine()`) as an array of `struct sock_filter`.

    With `notify`, a denied call that tells of an attack returns SECCOMP_RET_USER_NOTIF instead of EPERM: whoever
    listens must answer it with an error (EPERM), and never let it continue. Without `network` there are no sockets
    but those of this machine's own processes (AF_UNIX): for where no namespace keeps the network away. Raises
    `ValueError` for a machine that there is no table for.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"no table of system calls for {architecture}")
    denied = USER_NOTIF if notify else ERRNO | errno.EPERM
    conditions = CONDITIONS if network else LOCAL_CONDITIONS
    search = _search(_ranges(_fates(architecture, conditions, denied), architecture, denied))
    blocks = {condition: _block(condition, denied) for condition in search if isinstance(condition, Condition)}
    begin = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, ARCHITECTURES[architecture]),
        (_RETURN, 0, 0, denied),
        (_LOAD, 0, 0, _NUMBER),
    ]
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in [*begin, *_linked(search, blocks)])


def call_names(architecture: str) -> dict[int, str]:
    """The name of each number, to tell what a listener was notified of."""
    return {number: name for name, number in NUMBERS[architecture].items()}


def _fates(architecture: str, conditions: Iterable[Condition], denied: int) -> dict[int, _Fate]:
    """What becomes of each number that the table names."""
    fates: dict[str, _Fate] = dict.fromkeys(ALLOWED, ALLOW)
    for denial in DENIED:
        quiet = denial.quiet or denial.errno != errno.EPERM
        fates |= dict.fromkeys(denial.calls, ERRNO | denial.errno if quiet else denied)
    fates |= {condition.call: condition for condition in conditions}
    numbers = NUMBERS[architecture]
    return {numbers[name]: fate for name, fate in fates.items() if name in numbers}


def _ranges(fates: Mapping[int, _Fate], architecture: str, denied: int) -> list[tuple[int, _Fate]]:
    """The numbers from which on a fate holds, in order; the first is 0."""
    missing = ERRNO | errno.ENOSYS
    numbered = [(number, fates.get(number, missing)) for number in range(max(fates) + 2)]
    if architecture == "x86_64":
        numbered.append((_X32, denied))
    return [next(group) for _, group in groupby(numbered, key=lambda each: each[1])]


def _search(ranges: list[tuple[int, _Fate]]) -> list[_Instruction | Condition]:
    """Halve the ranges until one is left: its verdict, or the condition to go on with."""
    if len(ranges) == 1:
        fate = ranges[0][1]
        return [fate if isinstance(fate, Condition) else (_RETURN, 0, 0, fate)]
    middle = len(ranges) // 2
    lower, upper = _search(ranges[:middle]), _search(ranges[middle:])
    return [(_IF_AT_LEAST, len(lower), 0, ranges[middle][0]), *lower, *upper]


def _block(condition: Condition, denied: int) -> list[_Instruction]:
    """Try one case after another; a case that does not hold leads to the next."""
    block: list[_Instruction] = [(_RETURN, 0, 0, denied)]
    for case in reversed(condition.cases):
        block = [*_case(case), *block]
    return block


def _case(case: Iterable[Argument]) -> list[_Instruction]:
    """Return ALLOW if all arguments are as they must be, else go on behind it."""
    block: list[_Instruction] = [(_RETURN, 0, 0, ALLOW)]
    for argument in reversed(tuple(case)):
        last = len(argument.values) - 1
        compared = [
            (_IF_EQUAL, last - at, len(block) if at == last else 0, value)
            for at, value in enumerate(argument.values)
        ]
        block = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument.number), (_AND, 0, 0, argument.mask), *compared, *block]
    return block


def _linked(
    search: list[_Instruction | Condition], blocks: dict[Condition, list[_Instruction]]
) -> list[_Instruction]:
    """Put the conditions behind the search, and let it jump there."""
    starts, end = {}, len(search)
    for condition, block in blocks.items():
        starts[condition] = end
        end += len(block)
    jumping = [
        (_JUMP, 0, 0, starts[step] - at - 1) if isinstance(step, Condition) else step
        for at, step in enumerate(search)
    ]
    return [*jumping, *(instruction for block in blocks.values() for instruction in block)]
