"""The rules about waivers themselves."""

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS

INVALID = Rule(
    "waiver-invalid",
    Severity.MEDIUM,
    "A waiver lacks something, so it waives nothing",
    "A waiver without a reason, an end or an owner is a hole that nobody closes again.",
    "Write `# wpk-sandbox: allow RULE -- reason (until 2027-01-31, @owner)`; in the policy give `rule`, `path`,"
    " `reason`, `until` and `owner`.",
    points=POINTS[Severity.MEDIUM],
)
EXPIRED = Rule(
    "waiver-expired",
    Severity.MEDIUM,
    "A waiver has run out",
    "What was to be mended by that day still stands, and the finding counts again.",
    "Mend what the waiver excuses, and remove it; or have its owner decide on a new day.",
    points=POINTS[Severity.MEDIUM],
)
UNUSED = Rule(
    "waiver-unused",
    Severity.LOW,
    "A waiver waives nothing",
    "It would silently excuse the next finding of its rule at this place.",
    "Remove it, or put it on the line of the finding or right above.",
    points=POINTS[Severity.LOW],
)
REFUSED = Rule(
    "waiver-refused",
    Severity.MEDIUM,
    "A waiver does not count for what it is about",
    "A critical finding blocks. If the change that brings it could excuse it as well, nothing would be blocked; and"
    " what could not even be read cannot be excused at all.",
    "Mend the finding. Or let the base branch waive it first, in `policy.waivers` with its `path` and its `text`.",
    points=POINTS[Severity.MEDIUM],
)

NEW = Rule(
    "waiver-new",
    Severity.LOW,
    "A change waives its own finding",
    "Whoever brings a finding should not be the only one to excuse it. Until the change is merged a comment counts"
    " only for what the base branch waives too, unless `policy.inline_waivers` is `any`.",
    "Let a reviewer look at the waiver. Where the finding must not count before the merge, waive it in the base"
    " branch's `policy.waivers` first.",
)

RULES = (INVALID, EXPIRED, UNUSED, REFUSED, NEW)
