"""Hostile text, in each language that the reports are written in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from report.hostile import HOSTILE
from wpk_sandbox.report import escape

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=60)
NASTY = st.text(alphabet="`|<>&@#:[]()!*_~\\-+=1.x \n\t$/w\"'{}", max_size=40)


def tokens(markdown: str) -> set[str]:
    """The types of everything that a Markdown reader sees, but plain text; `<code>` is code."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    inner = [child for token in parsed for child in token.children or ()]
    types = {"code_inline" if each.content in ("<code>", "</code>") else each.type for each in inner}
    return types - {"text", "softbreak", "text_special"}


class TestOneLine:
    def test_shows_controls_and_direction_marks_by_their_code(self) -> None:
        assert escape.one_line("a\nb\x1b[2J\u202e\x9b\ud800") == "a\\nb\\x1b[2J\\u202e\\x9b\\ud800"

    def test_leaves_other_scripts_alone(self) -> None:
        assert escape.one_line("Füße 日本語 → ✓") == "Füße 日本語 → ✓"

    def test_shows_invisible_characters_beyond_the_first_plane(self) -> None:
        assert escape.one_line("\U000e0041") == "\\U000e0041"

    @given(ANY_TEXT)
    def test_is_always_one_printable_line(self, text: str) -> None:
        assert escape.one_line(text).isprintable()


class TestVisible:
    def test_keeps_lines_and_drops_colours(self) -> None:
        assert escape.visible("\x1b[1;31mred\x1b[0m\r\nnext\rlast\tend") == "red\nnext\nlast    end"

    def test_shows_other_escape_sequences(self) -> None:
        assert escape.visible("\x1b]0;title\x07\x1b[2J") == "\\x1b]0;title\\x07\\x1b[2J"


class TestLogLine:
    @pytest.mark.parametrize("line", ["::error::x", "   ::error::x", "\t::stop-commands::t"])
    def test_defuses_a_command_at_the_start(self, line: str) -> None:
        assert line.lstrip().startswith("::")
        assert not escape.log_line(line).lstrip().startswith("::")

    def test_defuses_the_older_form_anywhere(self) -> None:
        assert "##[" not in escape.log_line("all fine ##[set-env name=PATH]/evil")

    def test_leaves_colons_within_a_line(self) -> None:
        assert escape.log_line("std::vector") == "std::vector"

    def test_a_carriage_return_starts_a_line_too(self) -> None:
        assert all(not line.lstrip().startswith("::") for line in escape.log_block("fine\r::error::x").split("\n"))


class TestMarkdown:
    def test_shows_markup_as_it_is_written(self) -> None:
        assert tokens("**bold** <b> [a](b) ![i](x) `c`") > {"strong_open", "html_inline", "link_open", "image"}
        assert tokens(escape.markdown("**bold** <b> [a](b) ![i](x) ~~s~~")) == set()

    def test_breaks_mentions_references_and_links(self) -> None:
        text = escape.markdown("@org/team #123 https://evil.example www.evil.example")
        assert "@org" not in text
        assert "#1" not in text
        assert "://" not in text
        assert "www.e" not in text

    def test_keeps_code_in_backticks(self) -> None:
        assert escape.markdown("set `a_b` *now*") == "set `a_b` \\*now\\*"

    def test_a_sentence_without_end_is_cut(self) -> None:
        assert len(escape.markdown("x" * 100_000)) < 1600
        assert escape.markdown("x" * 100_000).endswith("x…")

    def test_does_not_escape_twice(self) -> None:
        assert escape.markdown(escape.markdown("a*b")) == "a\\*b"

    def test_leaves_version_numbers_alone_but_not_a_list(self) -> None:
        assert escape.markdown("1.2.0") == "1.2.0"
        assert "list_item_open" not in {token.type for token in MarkdownIt().parse(escape.markdown("1. first"))}

    @given(NASTY)
    def test_nothing_but_code_comes_of_any_text(self, text: str) -> None:
        assert tokens("x " + escape.markdown(text)) <= {"code_inline"}

    @given(NASTY)
    def test_a_table_keeps_its_columns(self, text: str) -> None:
        table = f"| a | b |\n|---|---|\n| {escape.markdown(text)} | {escape.code(text)} |\n"
        cells = [token for token in MarkdownIt().enable("table").parse(table) if token.type == "td_open"]
        assert len(cells) == 2
        assert MarkdownIt().enable("table").parse(table)[-1].type == "table_close"


class TestCode:
    @given(NASTY)
    def test_a_span_shows_exactly_its_text(self, text: str) -> None:
        shown = MarkdownIt("commonmark", {"html": True}).parse("x " + escape.code(text) + " y")[1].children or []
        assert [each.type for each in shown if each.type not in ("text", "text_special", "html_inline")] in (
            [],
            ["code_inline"],
        )
        assert all(each.content in ("<code>", "</code>") for each in shown if each.type == "html_inline")

    def test_backticks_get_a_longer_fence(self) -> None:
        assert escape.code("a``b`c") == "```a``b`c```"
        assert escape.code("`a`") == "`` `a` ``"

    def test_a_pipe_does_not_end_a_cell(self) -> None:
        assert "|" not in escape.code("a | b")

    def test_nothing_stays_nothing(self) -> None:
        assert escape.code("") == ""


class TestFence:
    def test_output_cannot_close_its_block(self) -> None:
        block = escape.fence("a\n````\n</details>\n```", "text")
        parsed = MarkdownIt().parse(block)
        assert [token.type for token in parsed] == ["fence"]
        assert parsed[0].content == "a\n````\n</details>\n```\n"


def test_html_in_a_tag_holds_no_markup() -> None:
    text = escape.html(HOSTILE)
    assert "<" not in text
    assert "`" not in text
    assert "@team" not in text


def test_entities_survive_the_breaking_of_references() -> None:
    assert escape.html("[a]") == "&#91;a&#93;"


@given(ANY_TEXT)
def test_xml_text_has_only_characters_that_xml_may_hold(text: str) -> None:
    def allowed(number: int) -> bool:
        return (
            number in (0x9, 0xA, 0xD) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or number > 0xFFFF
        )

    assert all(allowed(ord(character)) for character in escape.xml(text))


class TestHeadAndTail:
    def test_leaves_a_short_text(self) -> None:
        assert escape.head_and_tail("abc", 3) == "abc"

    def test_keeps_more_of_the_end_and_says_how_much_is_gone(self) -> None:
        text = escape.head_and_tail("a" * 100 + "z" * 100, 40)
        assert text == "a" * 10 + "\n… 160 characters left out …\n" + "z" * 30

    def test_no_room_is_no_text(self) -> None:
        assert escape.head_and_tail("abc", 0) == ""
