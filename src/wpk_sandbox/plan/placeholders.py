"""What stands for a parameter that nobody gave: harmless, and of the shape that its name asks for.

Hosts are under `.invalid` (RFC 6761), which resolves nowhere, and addresses are of TEST-NET-1 (RFC 5737).
"""

import re

# The last word of the name that is found here decides; `{slug}` is the whole name in lower case with hyphens.
_SHAPES: tuple[tuple[str, str], ...] = (
    ("URL URI ADDR ADDRESS ENDPOINT WEBHOOK HOOK LINK", "https://placeholder.invalid/{slug}"),
    ("HOST HOSTNAME DOMAIN SERVER FQDN BROKER", "{slug}.invalid"),
    ("IP IPADDR", "192.0.2.1"),
    ("EMAIL MAIL RECIPIENT", "{slug}@placeholder.invalid"),
    ("PORT", "8080"),
    ("SECONDS SECS", "1"),
    ("MINUTES HOURS DAYS WEEKS RETRIES ATTEMPTS", "1"),
    ("COUNT REPLICAS NUM NUMBER LIMIT MAX MIN FACTOR SIZE LINES REVISION THRESHOLD ID PID", "2"),
    ("PERCENT PERCENTAGE", "50"),
    ("TIMEOUT DURATION INTERVAL DELAY PERIOD TTL AGE BACKOFF", "5s"),
    ("DATE", "2025-01-01"),
    ("TIME TIMESTAMP", "2025-01-01T00:00:00Z"),
    ("VERSION TAG RELEASE", "1.0.0"),
    ("CPU", "100m"),
    ("MEMORY STORAGE DISK", "64Mi"),
    ("PATH FILE DIR DIRECTORY FOLDER", "/tmp/{slug}"),  # noqa: S108  a path inside the sandbox
    ("ENABLED DISABLED FLAG FORCE DEBUG", "true"),
    ("USER USERNAME OWNER", "user"),
)
_BY_WORD = {word: shape for words, shape in _SHAPES for word in words.split()}


def placeholder(name: str, *, namespace: str, image: str) -> str:
    """A value for the parameter `name`; `namespace` and `image` are what the sandbox really has of these."""
    words = re.split(r"[_.-]+", name.upper().strip("_"))
    slug = "-".join(word.lower() for word in words if word)[:63].strip("-") or "placeholder"
    by_word = {**_BY_WORD, "NAMESPACE": namespace, "NS": namespace, "IMAGE": image}
    shape = next((by_word[word] for word in reversed(words) if word in by_word), "{slug}")
    return shape.replace("{slug}", slug)
