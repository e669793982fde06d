from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT, Output


def test_streams_are_kept_apart() -> None:
    output = Output(10)
    assert output.add(STDOUT, b"out")
    assert output.add(STDERR, b"err")
    assert output.add(STDOUT, b"put")
    assert (output.text(STDOUT), output.text(STDERR), output.full) == ("output", "err", False)


def test_just_the_limit_fits() -> None:
    output = Output(4)
    assert output.add(STDOUT, b"1234")
    assert output.add(STDERR, b"1234")
    assert not output.full


def test_what_goes_over_the_limit_is_cut() -> None:
    output = Output(4)
    assert not output.add(STDOUT, b"12345")
    assert output.full
    assert output.raw(STDOUT) == b"1234"


def test_full_stays_full_while_the_other_stream_fills() -> None:
    output = Output(2)
    output.add(STDOUT, b"123")
    assert not output.add(STDERR, b"1")
    assert output.text(STDERR) == "1"


def test_character_cut_in_half_is_replaced() -> None:
    output = Output(2)
    output.add(STDOUT, "a✓".encode())
    assert output.text(STDOUT) == "a�"
