"""Policies for the packages: severities, fields and rules of a repository's own, and waivers."""

from datetime import date

from hypothesis import strategies as st

from wpk_sandbox.finding import Location, Severity, Waiver
from wpk_sandbox.rules.catalogue import ALL_RULES
from wpk_sandbox.rules.policy import CustomRule, FileWaiver, Policy

_AT = Location("policy.yaml", 1, 1)
_RULES = st.sampled_from([rule.id for rule in ALL_RULES])
_WAIVERS = st.builds(
    lambda rule, path, text, day: FileWaiver(
        rule, path, Waiver("It is meant.", day.isoformat(), "@team", _AT), text
    ),
    _RULES,
    st.sampled_from(["*", "fuzz.wpk.yaml", "fuzz.*"]),
    st.sampled_from(["", "rm", "\u2028", "name: b"]),
    st.sampled_from([date(2026, 12, 1), date(2027, 1, 31), date(2020, 1, 1)]),
)
_OWN = CustomRule(
    "our-rule",
    "spec.handlers.exists(h, h.name.contains('a'))",
    "no `a`",
    Severity.HIGH,
    "Take `b`.",
    "/spec/handlers",
)

policies = st.just(Policy()) | st.builds(
    Policy,
    severity=st.dictionaries(_RULES, st.none() | st.sampled_from(Severity), max_size=4),
    required_fields=st.sampled_from([(), ("metadata.author", "spec.x.y"), ("spec.handlers",)]),
    rules=st.sampled_from([(), (), (), (_OWN,)]),
    waivers=st.lists(_WAIVERS, max_size=3).map(tuple),
    allowed_hosts=st.sampled_from([(), ("a.example",)]),
    inline_waivers=st.sampled_from(["any", "base", "none"]),
    max_memory=st.sampled_from([1, 8 * 1024**3]),
)
