"""Which commands turn what nobody can read into what a shell can run."""

import re
from collections.abc import Sequence

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import input_words
from wpk_sandbox.rules.shell.words import Word

# A character by its number, as printf and echo -e know it; the unknown stands for a number that is worked out.
_UNKNOWN = "\ufffc"
_ESCAPE = Pattern(rf"\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|0?[0-7]{{2,3}}|x?{_UNKNOWN}|x%\w*|%\d*o)")
_LETTERS = Pattern(r"[a-zA-Z]")
# The options with which a program decodes rather than encodes; none where it does nothing else.
_DECODERS = {
    **dict.fromkeys(("base64", "base32", "basenc", "base58", "base64url", "gbase64"), ("d", "D", "decode")),
    "xxd": ("r",),
    "openssl": ("d", "decrypt"),
    **dict.fromkeys(("mimencode", "mmencode"), ("u",)),
    **dict.fromkeys(("uudecode", "rev", "ascii2uni", "recode", "dc", "rot13"), ()),
}
# What packs and encrypts files hides code only where it goes straight into an interpreter.
_UNPACKERS = {
    **dict.fromkeys(
        ("gunzip", "zcat", "gzcat", "bzcat", "bunzip2", "xzcat", "unxz", "lzcat", "zstdcat", "unzstd"), ()
    ),
    **dict.fromkeys(("lz4cat", "unlz4", "ccat", "uncompress"), ()),
    **dict.fromkeys(
        ("gzip", "pigz", "bzip2", "xz", "lzma", "zstd", "lz4", "brotli"), ("d", "decompress", "uncompress")
    ),
    **dict.fromkeys(("gpg", "gpg2", "age", "mcrypt", "ccrypt", "rage"), ("d", "decrypt")),
    **dict.fromkeys(("steghide", "outguess", "zsteg", "exiftool", "stegsnow"), ()),
}
# How programs of other languages turn a text that nobody can read into one that runs.
DECODING = Pattern(
    r"b(?:64|32|16|85)decode|decodebytes|base64|Base64|fromhex|unhexlify|zlib\.decompress|codecs\.decode|rot_?13"
    r"|marshal\.loads|gzinflate|gzuncompress|hex2bin|unpack\s*\(?\s*[\"'][Hhum]|pack\s*\(?\s*[\"'][Hhum]"
    r"|unpack1|\batob\s*\(|fromCharCode|[\"'](?:hex|base64)[\"']|\bchr\s*\(|%c|(?:\\x[0-9a-fA-F]{2}){2}"
    r"|strrev|\[::-1\]|\breverse\b|maketrans|\ba2b_|\bdecompress\(|gzdecode|inflate|fromCodePoint|(?:\\\d{2,3}){3}"
    r"|__import__\s*\(\s*[\"']\w*[\"']\s*\+|unpack\s*\(?\s*u\b|b64_decode|[\"']\s*\+\s*[\"'].{0,40}\)\s*\("
)
_OF_JSON = Pattern(r"@base64d|\bimplode\b|@urid")
_OF_TEMPLATES = Pattern(r"base64decode|b64dec")
_OTHER_SCRIPTS = Pattern(r"utf-?(?:7|16|32)|ucs|ebcdic|ibm", re.IGNORECASE)
# What sed leaves out: `s/x//`; the group is what, and blanks are an indentation.
_LEFT_OUT = Pattern(r"\bs([/|,#!:@~])((?:(?!\1)[^\\]|\\.)+)\1\1")
_BLANKS = Pattern(r"(?:\^|\\s|\\t|\[\[:(?:space|blank):\]\]|\[[ \t\\t]+\]|[ \t*+?])*\$?")
_PUT_FOR = Pattern(r"\by([/|,#!:@~])(?:(?!\1).)+\1(?:(?!\1).)+\1|x&")
_OF_AWK = Pattern(r"\b(?:g?sub|substr|reverse|split)\s*\(|\btr/|\by/|\bs/")
_PLAIN_SET = Pattern(r"(?:\\[nrt0]|[\s\"'\\]|\[:(?:space|blank|cntrl):\])*")
_MEDIA = Pattern(
    r"\.(?:png|jpe?g|gif|bmp|ico|webp|svg|tiff?|heic|psd|pdf|mp[34]|wav|ogg|flac|avi|mov|woff2?|ttf|eot|docx?|xlsx?"
    r"|pptx?|swf)$",
    re.IGNORECASE,
)
_FROM_BYTE = Pattern(r"-c\+|--bytes=\+|\+\d")
_SELF = frozenset({"0", "BASH_SOURCE"})
_CUTTERS = names("tail head dd sed awk gawk grep egrep cut strings xxd od unzip python3 perl exiftool binwalk cat")


def decodes(command: Command) -> bool:
    """True for a command that prints what its arguments or its input only hold in another form."""
    name = command.name
    if name in _DECODERS:
        return not _DECODERS[name] or parse(command.arguments).has(*_DECODERS[name])
    if name in _OWN_WAYS:
        return _OWN_WAYS[name](command)
    return DECODING.search(programs.text(command)) is not None or _decodes_by_module(command)


def disguises(command: Command) -> bool:
    """True for a command whose output hides code where an interpreter runs it at once."""
    name = command.name
    if name in _UNPACKERS:
        return not _UNPACKERS[name] or parse(command.arguments).has(*_UNPACKERS[name])
    return _takes_out(command) or _garbles(command)


def _decodes_by_module(command: Command) -> bool:
    """`python3 -m base64 -d`."""
    module = [word.when_empty for word in command.arguments[:2]]
    return module == ["-m", "base64"] and any(word.when_empty == "-d" for word in command.arguments)


def _rotated(command: Command) -> bool:
    return _rotates([word.value or "" for word in parse(command.arguments).operands])


def _written_by_numbers(command: Command) -> bool:
    return (command.name == "printf" or parse(command.arguments).has("e")) and _has_escapes(command.arguments)


def _of_json(command: Command) -> bool:
    return any(_OF_JSON.search(word.when_empty) for word in command.arguments)


def _of_template(command: Command) -> bool:
    return any(_OF_TEMPLATES.search(word.when_empty) for word in command.arguments)


def _converted(command: Command) -> bool:
    given = parse(command.arguments, names("f t from-code to-code")).value("f", "from-code")
    return given is not None and _OTHER_SCRIPTS.match(given.when_empty) is not None


def _has_escapes(words: Sequence[Word]) -> bool:
    """True when letters are written by their numbers; the escape itself (`\\033`) begins a colour."""
    numbers = [found for word in words for found in _ESCAPE.findall(word.template(_UNKNOWN))]
    return any(number.lower() not in ("\\x1b", "\\033", "\\0033") for number in numbers)


def _rotates(sets: list[str]) -> bool:
    """True when `tr` puts letters for others; from small to capital ones it only changes the case."""
    if len(sets) != 2 or any("[:" in each or not _LETTERS.search(each) for each in sets):
        return False
    return sets[0].lower() != sets[1].lower()


def _takes_out(command: Command) -> bool:
    """True when code is cut out of something else: a picture, what is behind some bytes, the script itself."""
    if command.name not in _CUTTERS:
        return False
    words = [*command.arguments, *(each.target for each in command.redirects if each.operator == "<")]
    if any(_MEDIA.search(word.when_empty) for word in words):
        return True
    values = [word.when_empty for word in command.arguments]
    if command.name == "dd":
        return any(value.startswith(("skip=", "iseek=")) for value in values)
    if command.name == "tail" and "-n" not in values and any(map(_FROM_BYTE.match, values)):
        return True
    itself = any(piece.name in _SELF for word in words for piece in word.pieces)
    return itself and command.name != "cat"


def _garbles(command: Command) -> bool:
    """True when a text that stands here is changed letter by letter before it is run."""
    change = _CHANGES.get(command.name)
    if change is None or not change(command):
        return False
    texts = [word for words in input_words(command) for word in words]
    return bool(texts) and all(word.value is not None for word in texts)


def _sed(command: Command) -> bool:
    text = "\n".join(word.when_empty for word in command.arguments)
    left_out = any(not _BLANKS.fullmatch(found[2]) for found in _LEFT_OUT.finditer(text))
    return left_out or _PUT_FOR.search(text) is not None


def _tr(command: Command) -> bool:
    sets = [word.when_empty for word in parse(command.arguments).operands]
    case_only = len(sets) == 2 and (sets[0].lower() == sets[1].lower() or "[:" in sets[0])
    return not case_only and any(not _PLAIN_SET.fullmatch(each) for each in sets[:1])


def _awk(command: Command) -> bool:
    return any(_OF_AWK.search(word.when_empty) for word in command.arguments)


def _always(_: Command) -> bool:
    return True


_OWN_WAYS = {
    "tr": _rotated,
    **dict.fromkeys(("printf", "echo"), _written_by_numbers),
    **dict.fromkeys(("jq", "yq", "gojq"), _of_json),
    **dict.fromkeys(("kubectl", "oc", "helm", "docker", "vault"), _of_template),
    "iconv": _converted,
}
_CHANGES = {
    "sed": _sed,
    "tr": _tr,
    **dict.fromkeys(("awk", "gawk", "mawk", "perl"), _awk),
    **dict.fromkeys(("cut", "colrm"), _always),
}
