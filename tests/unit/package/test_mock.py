import pytest

from wpk_sandbox.package.mock import Mock, answering, fits, mock_of


@pytest.mark.parametrize(
    ("pattern", "method", "url"),
    [
        ("https://api.example.com/v1/*", "GET", "https://api.example.com/v1/pods?limit=5"),
        ("https://api.example.com", "GET", "https://api.example.com/"),
        ("https://api.example.com", "GET", "https://api.example.com"),
        ("https://api.example.com:443/x", "GET", "https://API.example.com/x"),
        ("http://*.example.com/*", "PUT", "http://a.b.example.com/x/y"),
        ("https://api.example.com/x?a=*", "GET", "https://api.example.com/x?a=1"),
        ("https://[::1]:8443/x".replace("[::1]", "192.0.2.1"), "GET", "https://192.0.2.1:8443/x"),
    ],
)
def test_a_mock_answers_what_its_address_describes(pattern, method, url):
    assert Mock(pattern).answers(method, url)


@pytest.mark.parametrize(
    ("pattern", "method", "url"),
    [
        ("https://api.example.com/v1/*", "GET", "https://api.example.com/v2/pods"),
        ("https://api.example.com/v1/*", "GET", "http://api.example.com/v1/pods"),
        ("https://api.example.com/v1/*", "GET", "https://api.example.com.evil.example/v1/pods"),
        ("https://api.example.com/v1/*", "GET", "https://api.example.com:8443/v1/pods"),
        ("https://api.example.com/x?a=1", "GET", "https://api.example.com/x?a=2"),
        ("https://api.example.com/a.c", "GET", "https://api.example.com/abc"),
        ("https://api.example.com/*", "GET", "https://api.example.com:x/"),
    ],
)
def test_a_mock_answers_nothing_else(pattern, method, url):
    assert not Mock(pattern).answers(method, url)


def test_a_method_bounds_a_mock_and_none_takes_any():
    assert Mock("https://x.example/", "post").answers("POST", "https://x.example/")
    assert not Mock("https://x.example/", "POST").answers("GET", "https://x.example/")
    assert Mock("https://x.example/").answers("DELETE", "https://x.example/")


def test_the_first_of_several_answers():
    special, general = Mock("https://x.example/a", status=404), Mock("https://x.example/*")
    assert answering([special, general], "GET", "https://x.example/a") is special
    assert answering([special, general], "GET", "https://x.example/b") is general
    assert answering([special], "GET", "https://x.example/b") is None


@pytest.mark.parametrize("url", ["api.example.com/x", "ftp://x.example/", "https://", "https://x.example:99999/"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="is no"):
        Mock(url)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a--b--c", True),
        ("a*bb*c", "a-bc", False),
        ("*b*", "abc", True),
        ("**", "x", True),
    ],
)
def test_a_star_stands_for_anything(pattern, text, expected):
    assert fits(pattern, text) is expected


def test_many_stars_take_no_time():
    assert not fits("*a" * 5000 + "b", "a" * 20_000)


def test_a_body_says_what_it_is():
    entry = {"request": {"url": "https://x.example/"}, "response": {"status": 201, "body": {"id": 1}}}
    assert mock_of(entry) == Mock("https://x.example/", "", 201, {"Content-Type": "application/json"}, b'{"id": 1}')
    assert mock_of({"request": {"url": "https://x.example/"}, "response": {"body": "hi"}}).headers == {
        "Content-Type": "text/plain; charset=utf-8"
    }
    own = {
        "request": {"url": "https://x.example/"},
        "response": {"body": "<x/>", "headers": {"content-type": "a/b"}},
    }
    assert mock_of(own).headers == {"content-type": "a/b"}


@pytest.mark.parametrize("headers", [{"X": "a\r\nSet-Cookie: b"}, {"X Y": "a"}, {"": "a"}, {"X": "\0"}])
def test_what_is_no_header_is_refused(headers):
    with pytest.raises(ValueError, match="is no HTTP header"):
        mock_of({"request": {"url": "https://x.example/"}, "response": {"headers": headers}})
