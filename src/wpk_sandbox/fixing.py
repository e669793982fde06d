"""`check --fix`: corrects what is mechanical in the files themselves, or shows what it would correct."""

import difflib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from wpk_sandbox.errors import ExitCode, UsageError
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Request, judge
from wpk_sandbox.package.package import Package
from wpk_sandbox.package.source import read_file
from wpk_sandbox.report.escape import log_line, one_line
from wpk_sandbox.rules.corrections import Fix
from wpk_sandbox.rules.edit import Edit, apply
from wpk_sandbox.rules.fixes import fixes
from wpk_sandbox.rules.hiding import Hiding
from wpk_sandbox.rules.masking import hidden_of

# A fix may show what lay behind it: the fields of a handler whose type was not known.
MOST_ROUNDS = 4


def fix(request: Request, stream: IO[str]) -> None:
    """Correct the files of a selection, and say what was done. The caller checks them again.

    Raises `UsageError` when a file cannot be written.
    """
    done, files = 0, set[str]()
    for _ in range(MOST_ROUNDS):
        before = done
        for path, text, found, hidden in _fixable(request):
            _rewrite(request.root / path, text, apply(text, _edits(found)))
            for each in found:
                said = f"{each.location}: fixed {each.name}: {hidden.told(each.message)}"
                stream.write(log_line(one_line(said)) + "\n")
            done += len(found)
            files.add(path)
        if done == before:
            break
    if done:
        stream.write(f"{done} fixed in {len(files)} {'file' if len(files) == 1 else 'files'}\n")


def show(request: Request, stream: IO[str]) -> int:
    """Write what `fix` would do as a unified diff, and change nothing; fails when there is something to do.

    Secrets are starred out of it, whatever `patch` then makes of their lines: a log is no place for them.
    """
    found_any = False
    for path, text, found, hidden in _fixable(request):
        found_any = True
        stream.write(_diff(path, hidden.line(text), hidden.line(apply(text, _edits(found)))))
    return ExitCode.FAIL if found_any else ExitCode.PASS


def _edits(found: Sequence[Fix]) -> Iterator[Edit]:
    return (edit for each in found for edit in each.edits)


def _fixable(request: Request) -> Iterator[tuple[str, str, tuple[Fix, ...], Hiding]]:
    """Each file that has fixes, with its text, and the secrets in it."""
    packages: dict[str, dict[int, Package]] = {}
    findings: dict[str, list[Finding]] = {}
    loose: list[Finding] = []
    for judged in judge(request, loose):
        package = judged.package
        packages.setdefault(package.path, {})[package.document.index] = package
        findings.setdefault(package.path, []).extend(judged.findings)
    for finding in loose:
        findings.setdefault(finding.location.path, []).append(finding)
    timeout = float(request.settings["timeouts.handler"])
    for path in request.selection.files:
        data = read_file(request.root / path, path, request.root)
        here = tuple(packages.get(path, {}).values())
        text = None if isinstance(data, Finding) else _text(data, here)
        if text is not None and (found := fixes(text, here, findings.get(path, ()), timeout=timeout)):
            yield path, text, found, hidden_of(here)


def _text(data: bytes, packages: Sequence[Package]) -> str | None:
    """The text of a file, unless it is none, or has changed since its packages were read."""
    digest = hashlib.sha256(data).hexdigest()
    if any(package.digest != digest for package in packages):
        return None
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    return None


def _rewrite(path: Path, before: str, after: str) -> None:
    """Put a new text in the place of the old one, all of it at once, with the mode and the owner of the file."""
    real = os.path.realpath(path)
    try:
        status = os.stat(real)
        if not os.access(real, os.W_OK):
            raise PermissionError(None, "it may not be written")
        number, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(real)[:100]}.", dir=os.path.dirname(real))
        try:
            with open(number, "wb") as file:
                file.write(after.encode())
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
                with suppress(PermissionError):  # somebody else's file, in a folder that is ours
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            if Path(real).read_bytes() != before.encode():
                raise UsageError(f"{path} was changed while it was being fixed", "run the command again")
            os.replace(temporary, real)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be fixed: {error.strerror}", "make the file and its folder writable"
        ) from error


def _diff(path: str, before: str, after: str) -> str:
    name = one_line(path)
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(_shown(line) for line in lines)


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [text.rpartition("\n")[2]] * (not text.endswith("\n"))


def _shown(line: str) -> str:
    """A line of the diff that neither a terminal nor a CI runner takes for a command; tabs stay, for `patch`."""
    body = line.removesuffix("\n")
    safe = log_line("\t".join(map(one_line, body.removesuffix("\r").split("\t"))))
    ending = "\r\n" if body.endswith("\r") and line.endswith("\n") else "\n"
    return safe + ending + ("" if line.endswith("\n") else "\\ No newline at end of file\n")
