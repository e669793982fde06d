"""Which files a command compares with a checksum or a signature, so that the script stops where they are others."""

import re
from collections.abc import Iterable

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import input_words
from wpk_sandbox.rules.shell.ran import UNKNOWN, file_key

_SUMS = names("sha256sum sha512sum sha384sum sha224sum sha1sum shasum md5sum b2sum b3sum cksum xxhsum rhash")
# Verbs and options with which a program compares; empty where it does nothing else.
_VERIFIERS = {
    "gpg": names("--verify --verify-files"),
    "gpg2": names("--verify --verify-files"),
    "gpgv": frozenset[str](),
    "gpgv2": frozenset[str](),
    "sqv": frozenset[str](),
    "sq": names("verify"),
    "minisign": names("-V -Vm -Vqm"),
    "signify": names("-V"),
    "signify-openbsd": names("-V"),
    "rsign": names("verify"),
    "cosign": names("verify-blob verify verify-attestation verify-blob-attestation"),
    "slsa-verifier": names("verify-artifact verify-image"),
    "notation": names("verify"),
    "gh": names("attestation"),
    "openssl": names("-verify -sha256 -sha512 -sha384 dgst cms smime"),
    "rpm": names("-K --checksig"),
    "rpmkeys": names("-K --checksig"),
    "dpkg-sig": names("--verify -c"),
    "debsig-verify": frozenset[str](),
    "jarsigner": names("-verify"),
    "codesign": names("-v --verify"),
    "cmp": frozenset[str](),
    "diff": frozenset[str](),
    "git": names("verify-commit verify-tag"),
    "ssh-keygen": names("verify"),
    "age-verify": frozenset[str](),
}
_LISTS = Pattern(r"\.(?:sha\d+(?:sums?)?|md5(?:sums?)?|sums?|asc|sig|sign|minisig|bundle|pem|crt|pub|checksum)$")
_LINE = Pattern(r"(\S+)\s*$", re.MULTILINE)

EVERYTHING = frozenset({"*"})


def names_of(command: Command) -> frozenset[str]:
    """The keys of the files that a command compares; `EVERYTHING` where it does not say which."""
    if command.forgiven:
        return frozenset()
    if command.name in _SUMS:
        return _of_sums(command)
    verbs = _VERIFIERS.get(command.name)
    if verbs is None:
        return frozenset()
    values = {word.when_empty for word in command.arguments}
    if verbs and verbs.isdisjoint(values):
        return frozenset()
    if command.name == "openssl" and not values & {"-verify", "-signature"} and not command.piped:
        return frozenset()
    return _told(file_key(word) for word in command.arguments if not word.when_empty.startswith("-"))


def _of_sums(command: Command) -> frozenset[str]:
    """`sha256sum -c list`, `echo "sum  file" | sha256sum -c`, `[ "$(sha256sum file)" = … ]`."""
    options = parse(command.arguments, names("a algorithm"))
    files = [word for word in options.operands if word.value not in ("-", "/dev/stdin")]
    if not options.has("c", "check"):
        files += [each.target for each in command.redirects if each.operator == "<"]
    if not options.has("c", "check"):
        # Printed for a reader, a sum stops nothing.
        return _told(map(file_key, files)) if command.piped and (files or command.upstream) else frozenset()
    if files:
        named = [file_key(word) for word in files]
        return _told(named) if all(map(_LISTS.search, named)) else EVERYTHING
    listed = [word.template(UNKNOWN) for words in input_words(command) for word in words]
    return _told(found[1].rpartition("/")[2].lstrip("*") for found in _LINE.finditer(" ".join(listed)))


def _told(keys: Iterable[str]) -> frozenset[str]:
    known = {_LISTS.sub("", key) for key in keys if key}
    return frozenset(known) or EVERYTHING
