"""Makes text that we did not write harmless in each language that we write: terminal, log, Markdown, XML.

Whatever a package names or prints is hostile: it may move the cursor, speak to the CI runner, mention a team,
reverse the reading direction or end the element that it stands in. Nothing is dropped in silence: what cannot be
shown is shown as its code, `\\x1b` or `\\u202e`.
"""

import re

ZERO_WIDTH = "\u200b"

_MOST = 1500

# Colours and other renditions of a well-meaning program say nothing that a log needs.
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
# GitHub's runner takes `::command::` at the start of a line, after any blanks, and `##[command]` anywhere in it.
_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_LINK = re.compile(r"(?<=\w):(?=//)|(?<=\bwww)\.(?=\w)", re.IGNORECASE)
_MARKDOWN = re.compile(r"[\\`*_{}\[\]|~$]")
_BLOCK_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)](?:\s|$)))")
_CODE = re.compile(r"`([^`]+)`")


def one_line(text: str) -> str:
    """The text on one line: each character that is not plainly printable is shown as its code."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _code(character) for character in text)


def visible(text: str) -> str:
    """Several lines of output: line ends and tabs stay, colours go, what else is unprintable shows its code."""
    text = _COLOURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "\n".join(one_line(line) for line in text.split("\n"))


def _code(character: str) -> str:
    number = ord(character)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if short:
        return short
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def log_line(line: str) -> str:
    """A line of ours that a CI runner does not take for a command, whatever it quotes."""
    line = _COMMAND_AT_START.sub(rf"\1:{ZERO_WIDTH}", line)
    return line.replace("##[", f"##{ZERO_WIDTH}[")


def log_block(text: str) -> str:
    """Output of a package as lines of a CI log."""
    return "\n".join(log_line(line) for line in visible(text).split("\n"))


class Markdown(str):
    """Markdown that is safe as it stands."""

    __slots__ = ()


def unmentioned(text: str) -> str:
    """The text with mentions (`@team`), references (`#12`) and links broken, which work in any Markdown or HTML."""
    text = text.replace("@", f"@{ZERO_WIDTH}").replace("#", f"#{ZERO_WIDTH}")
    return _LINK.sub(lambda match: match.group() + ZERO_WIDTH, text)


def markdown(text: object) -> Markdown:
    """Text in a paragraph or a table cell: shown as it is, without HTML, markup, mentions or links.

    Only a pair of backticks keeps its meaning, because what it holds is shown as it is in any case.
    """
    if isinstance(text, Markdown):
        return text
    parts = _CODE.split(_brief(text))
    return Markdown("".join(code(part) if number % 2 else _inert(part) for number, part in enumerate(parts)))


def _inert(plain: str) -> str:
    plain = _MARKDOWN.sub(lambda match: "\\" + match.group(), plain)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _BLOCK_START.sub(lambda match: f"{match[1]}{ZERO_WIDTH}{match[2]}", plain)
    return unmentioned(plain)


def code(text: object) -> Markdown:
    """Text as code within a line or a table cell; where nothing is mentioned, linked or marked up."""
    plain = _brief(text).strip()
    if not plain:
        return Markdown("")
    if "|" in plain:  # a table would end its cell here, and no escape works both in a table and outside it
        return Markdown(f"<code>{_entities(unmentioned(plain))}</code>")
    ticks = "`" * (_longest_run(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return Markdown(f"{ticks}{pad}{plain}{pad}{ticks}")


def fence(text: object, language: str = "") -> Markdown:
    """Text as a block of code whose fence is longer than any run of backticks in it."""
    plain = visible(str(text)).strip("\n")
    ticks = "`" * max(3, _longest_run(plain) + 1)
    return Markdown(f"{ticks}{language}\n{plain}\n{ticks}")


def html(text: object) -> Markdown:
    """Text inside an HTML tag of a Markdown file, such as `<summary>`, where Markdown's escapes do not work."""
    return Markdown(_entities(unmentioned(one_line(str(text)))))


def _entities(text: str) -> str:
    """Every character that HTML or Markdown would take for markup, as an entity."""
    return re.sub(r"[&<>\"'\\`*_{}\[\]|~$]", lambda match: f"&#{ord(match.group())};", text)


def _brief(text: object) -> str:
    """One line, no longer than anybody reads in a sentence or a cell."""
    plain = one_line(str(text)[: _MOST + 1])
    return plain if len(plain) <= _MOST else plain[:_MOST] + "…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def xml(text: str) -> str:
    """Text with only characters that XML 1.0 may hold; the writer escapes `<`, `&` and `]]>`."""
    return visible(text)


def head_and_tail(text: str, limit: int) -> str:
    """At most about `limit` characters, a quarter from the start and the rest from the end, which tells most."""
    if len(text) <= limit:
        return text
    if limit <= 0:
        return ""
    head, tail = text[: limit // 4], text[len(text) - (limit - limit // 4) :]
    return f"{head}\n… {len(text) - limit:,} characters left out …\n{tail}"
