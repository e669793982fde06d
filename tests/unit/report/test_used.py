"""What was used, for who asks for it."""

from dataclasses import replace

from report.parts import run
from report.sample import PASSING
from report.watched import CALLING
from wpk_sandbox.report.used import usage_lines
from wpk_sandbox.sandbox.sandbox import Usage


def test_what_each_step_used_stands_below_its_package() -> None:
    assert list(usage_lines(run(CALLING, PASSING).packages)) == [
        "call-home: 1.9 s of CPU · 871.0 MiB of memory at most · 6 processes at most",
        "  fetch: 1.8 s of CPU · 871.0 MiB of memory at most · 6 processes at most · held back for 0.1 s by the CPU limit"
        " · 2.0 MiB of files at most · 4.0 KiB written to disks · 512 B of output",
        "  escape: 0.1 s of CPU · 95.0 MiB of memory at most · 3 processes at most",
        "restart-web: 3.4 s of CPU · 412.0 MiB of memory at most · 17 processes at most",
    ]


def test_where_nothing_was_measured_it_says_why() -> None:
    assert list(usage_lines([replace(PASSING, usage=Usage())])) == [
        "restart-web: nothing was measured, for no program of it ran in a sandbox"
    ]
