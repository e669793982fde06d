"""Scripts that would take too long to read are told as such, and leave what others say as it is."""

from pathlib import Path

import pytest
from checking import package, rules, shell

from wpk_sandbox.rules import quoting, scripts, secrets
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.shell import files, parser, phrases, sources, syntax
from wpk_sandbox.rules.shell.printed import input_words
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.subject import Subject

TOO_MUCH = "the script is too long, or too far from shell syntax, to be read"


def problems(script: str) -> list[str]:
    return [problem.message for problem in syntax.read(script).problems]


@pytest.mark.parametrize("piece", ["A=(", "}|", ">", "<<<", ")", "`<<< ]]", "<<EOF\n", "))\\;"])
def test_a_script_of_nothing_but_broken_pieces_is_read_only_where_it_is_short(piece: str) -> None:
    assert TOO_MUCH not in problems(piece * 50)
    assert problems((piece * 30_000)[:30_000]) == [TOO_MUCH]


def test_a_long_script_of_ordinary_commands_is_read() -> None:
    script = 'if [ -f "$HOME/list" ]; then\n  kubectl -n shop get pods | grep -c web > /tmp/count\nfi\n' * 380
    assert len(script) > 31_000
    assert problems(script) == []


def test_a_script_inside_of_a_script_shares_its_bounds() -> None:
    broken = "A=(" * 1_300
    few, many = (syntax.read(f"X='{broken}'\n" + 'sh -c "$X"\n' * number) for number in (1, 100))
    assert all(problem.message == "this is not shell syntax" for problem in few.problems)
    assert many.problems[-1].message.startswith("all scripts of the package are too long")
    start, end = many.problems[-1].span
    assert 0 <= start < end <= len(f"X='{broken}'\n" + 'sh -c "$X"\n' * 100)


def test_what_was_read_before_the_bound_counts() -> None:
    found = syntax.read("rm -rf /srv/data\nsh -c '" + "A=(" * 8_000 + "'")
    assert [command.name for command in found.commands] == ["rm", "sh"]
    assert [problem.message for problem in found.problems] == [TOO_MUCH]


def test_scripts_of_a_package_share_what_they_may_cost() -> None:
    ordinary = 'kubectl -n shop get pods | grep -c "$NAME" > /tmp/count || true\n' * 400
    subject = Subject(package(*(shell(ordinary, f"run{number}") for number in range(8))), Policy())
    told = [finding for finding in scripts.check(subject) if finding.rule == scripts.UNREADABLE.id]
    assert not subject.scripts[0].script.problems
    assert 0 < len(told) < 8
    assert all(finding.message.startswith("all scripts of the package are too long") for finding in told)


def test_the_parser_is_fit_for_the_next_script_after_it_was_stopped() -> None:
    assert problems("A=(" * 9_000) == [TOO_MUCH]
    assert [command.name for command in syntax.read("rm -r /srv/data").commands] == ["rm"]


def test_each_step_of_a_long_script_costs_more() -> None:
    one, two = parser.Budget(), parser.Budget()
    one.charge(20_000)
    two.charge(10_000)
    two.charge(10_000)
    assert one.left < two.left < parser.MOST_COST


def test_packages_of_one_file_share_what_they_may_cost_and_each_has_a_part() -> None:
    assert parser.shared(1_000, 1_000).left == parser.MOST_COST
    assert parser.shared(500, 1_000).left == parser.MOST_COST // 2
    assert parser.shared(1, 1_000).left == parser.shared(0, 0).left == parser.LEAST_COST


def test_commands_cost_by_their_words_and_by_what_they_read() -> None:
    few, words, sources = (parser.Budget() for _ in range(3))
    assert few.affords(3, 0)
    assert words.affords(300, 0)
    assert sources.affords(3, 4_000)
    assert few.left > words.left > sources.left
    assert not parser.Budget(1).affords(3, 0)


def test_many_commands_that_read_what_many_print_are_not_all_judged() -> None:
    jobs = 'echo "* * * * * ls /srv"; '
    assert problems(f"( {jobs * 20}) | crontab -") == []
    (problem,) = problems(f"( {jobs * 1_100}) | crontab -")
    assert problem.startswith("all scripts of the package are too long")


def test_a_line_that_the_parser_had_reached_is_told() -> None:
    (problem,) = syntax.read("ls /srv\n" * 20 + "A=(" * 9_000).problems
    assert problem.span[0] >= len("ls /srv\n") * 20


def test_quotes_are_not_looked_for_in_what_cannot_be_read() -> None:
    assert quoting.unquoted("cp /srv/$NAME /tmp") != ()
    assert quoting.unquoted("cp /srv/$NAME /tmp\n" + "A=(" * 9_000) == ()


def test_the_finding_is_the_rule_of_scripts_that_cannot_be_read() -> None:
    assert "shell-unreadable" in rules(shell("A=(" * 9_000))


def test_a_stage_of_several_commands_is_asked_once_for_what_it_prints() -> None:
    script = syntax.read("echo a" + " | { tee x; tee y; }" * 6 + " | cat")
    known: dict[int, tuple[Word, ...]] = {}
    assert [word.value for words in input_words(script.commands[-1], known=known) for word in words] == ["a", "a"]
    assert len(known) < len(script.commands)


def test_a_script_that_is_not_read_leaves_no_memory_taken() -> None:
    def resident() -> int:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmRSS:")[2].split()[0])

    assert problems(">" * 20_000) == [TOO_MUCH]
    before = resident()
    for _ in range(5):
        assert problems(">" * 20_000) == [TOO_MUCH]
    assert resident() - before < 20_000


def given(script: str) -> list[str]:
    """What the commands of a script are given from files that it has written."""
    targets = (each.target for command in syntax.read(script).commands for each in command.redirects)
    return [word.shown for word in targets if "\n" in word.shown]


def test_a_file_that_grows_line_by_line_is_read_up_to_a_bound() -> None:
    line = f'echo "$X {"a" * 400}" >> list\n'
    (few,) = given(line * 20 + "cat list")
    assert few.count("\n") == 19
    (many,) = given(line * 70 + "cat list")
    assert many.count("\n") == 69
    assert max(map(len, given(line * 70 + "cat list >> list\n" * 9))) <= files.MOST_CHARACTERS


def test_files_that_are_added_to_each_other_do_not_grow_without_end() -> None:
    texts = given('echo "$X" >> a\n' * 2 + "cat a >> b\ncat b >> a\n" * 40)
    assert 10 < len(texts) < 80
    assert sum(map(len, texts)) < files.MOST_GIVEN


def test_what_commands_are_given_from_files_is_bounded() -> None:
    text = "cat > a <<EOF\n" + "password of the shop\n" * 200 + "EOF\n"
    few, many = (len(given(text + "cat a | grep shop\n" * number)) for number in (20, 400))
    # One is the redirection that writes the file.
    assert few == 21
    assert 50 < many < 200


def test_commands_that_hold_each_other_are_compared_by_what_is_written() -> None:
    nested = "X=a\n" + 'X=$(echo "$X$X" | grep "$X" | cat - "$X")\n' * 12 + 'rm "$X"'
    one, same, other = (syntax.read(text).commands[-1] for text in (nested, nested, nested[:-4] + "'$X'"))
    assert (one == same, hash(one) == hash(same)) == (True, True)
    assert (one == other) is False
    assert len(repr(one)) < 1_000


def test_deep_trees_of_what_is_no_shell_are_told_of_once() -> None:
    assert problems('echo "${X:+$(ls)}"\n' * 200) == []
    (problem,) = problems("echo ${X:+$(" * 700)
    assert problem.startswith("this is not shell syntax")
    assert problems("exec 3<>/srv/pipe\n" * 500) == []


def test_a_test_of_many_words_looks_at_its_variables() -> None:
    test = "[ " + "-o -n {} " * 1_500 + "]\n"
    unsafe = "shell-unsafe-expansion"
    assert unsafe not in rules(shell(test.format(*['"$DIR"'] * 1_500) + 'rm -rf "$DIR"/*'))
    assert unsafe in rules(shell(test.format(*["$DIR"] * 1_500) + 'rm -rf "$DIR"/*'))


@pytest.mark.parametrize(("levels", "found"), [(1, True), (sources.MOST_LEVELS - 1, True), (200, False)])
def test_outputs_inside_of_outputs_are_followed_for_some_levels(levels: int, *, found: bool) -> None:
    script = syntax.read("X=$(cat /etc/shadow)\n" + "X=$(echo $X)\n" * levels + "echo $X")
    (word,) = script.commands[-1].arguments
    assert (sources.within(word) is not None) is found


def test_long_words_are_kept_in_no_cache() -> None:
    caches = [phrases._fits, secrets._is_known_name]
    before = [cache.cache_info().currsize for cache in caches]
    for number in range(20):
        word = f"{'x' * 10_000}-{number}-token"
        rules(shell(f"aws s3api put-bucket-acl {word} --acl {word}"))
        assert secrets._is_named(word)
    after = [cache.cache_info().currsize for cache in caches]
    assert [new - old < 20 for new, old in zip(after, before, strict=True)] == [True, True]
