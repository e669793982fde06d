"""The rules of reading: everything that can be wrong with a file before anyone asks what it does.

**High means: no package.** A document with a finding of severity high is not read any further, because we could not
say what it means (two tools may read it differently) or because it lacks what a package needs. Medium means that
the package is there, and that what the finding points at is left out: a step is skipped, a value has its default.
"""

from wpk_sandbox.finding import Location, Rule, Severity

FILE_UNREADABLE = Rule(
    "file-unreadable",
    Severity.HIGH,
    "The file cannot be read",
    "A runbook that cannot be read cannot be tried, and will not be found when it is needed.",
    "Give the path of a regular file that the user who runs wpk-sandbox may read.",
    points=10,
)
FILE_OUTSIDE = Rule(
    "file-outside-repository",
    Severity.HIGH,
    "The path leads out of the repository",
    "A link or a path that leaves the repository makes the result depend on the machine, and lets a change to the"
    " repository show files of the runner in a report.",
    "Keep the file in the repository, and name it by a path inside it.",
    cwe=59,
    points=10,
)
FILE_LINK = Rule(
    "file-link",
    Severity.HIGH,
    "A package is a symbolic link or a submodule",
    "What such a path holds is decided somewhere else, so a reviewer of this change cannot see it.",
    "Put the package itself at this path.",
    cwe=59,
    points=10,
)
FILE_NAME = Rule(
    "file-name",
    Severity.HIGH,
    "The name of the file is not UTF-8",
    "No report, comment or check can name the file, so its problems would be shown nowhere.",
    "Rename the file.",
    cwe=116,
    points=10,
)
FILE_NOT_AS_COMMITTED = Rule(
    "file-not-as-committed",
    Severity.HIGH,
    "The checked out file is not what the commit holds",
    "An attribute in `.gitattributes` (`ident`, `filter`, `working-tree-encoding`), or a step of the job, rewrites"
    " the file: what is checked here is not what others find in the commit.",
    "Remove the attribute for packages, and check before other steps change them.",
    cwe=367,
    points=10,
)
FILE_LARGE = Rule(
    "file-large",
    Severity.LOW,
    "The file is larger than 256 KiB",
    "Nobody reviews a runbook of this size, and large data in it slows every tool that reads it.",
    "Split the package, or move the data into files that it names.",
    points=1,
)
YAML_TOO_LARGE = Rule(
    "yaml-too-large",
    Severity.HIGH,
    "The file is too large to be read safely",
    "Files of this size take the memory and the time of every tool that reads them, on purpose or not.",
    "Stay below 1 MiB, 20,000 values, 64 KiB for a text and 32 documents; split the package.",
    cwe=770,
    points=10,
)
YAML_ENCODING = Rule(
    "yaml-encoding",
    Severity.HIGH,
    "The file is not UTF-8 text",
    "Tools disagree on what such bytes mean, so what is reviewed need not be what runs.",
    "Save the file as UTF-8 text without control characters.",
    cwe=116,
    points=10,
)
YAML_BYTE_ORDER_MARK = Rule(
    "yaml-byte-order-mark",
    Severity.LOW,
    "The file begins with a byte order mark",
    "UTF-8 needs none, and some tools take it for a part of the first key.",
    "Save the file as UTF-8 without a byte order mark.",
    points=1,
)
YAML_LINE_ENDINGS = Rule(
    "yaml-line-endings",
    Severity.LOW,
    "Lines end with a carriage return alone",
    "Most tools show such a file as a single line, so that neither a review nor a line number can be trusted.",
    "End lines with a line feed.",
    points=1,
)
YAML_SYNTAX = Rule(
    "yaml-syntax",
    Severity.HIGH,
    "The file is not YAML",
    "Nothing after this place can be read.",
    "Correct the syntax; indent with spaces, and put text with `: `, ` #`, `{`, `[`, `*`, `&` or `%` in quotes.",
    points=10,
)
YAML_DUPLICATE_KEY = Rule(
    "yaml-duplicate-key",
    Severity.HIGH,
    "A key stands twice in one mapping",
    "Some tools take the first value and some the last: what is reviewed need not be what runs.",
    "Keep one of the two.",
    cwe=694,
    points=10,
)
YAML_COMPLEX_KEY = Rule(
    "yaml-complex-key",
    Severity.HIGH,
    "A key is not plain text",
    "Lists, mappings and references as keys have no form in JSON, which Kubernetes and every report use.",
    "Write the key as text.",
    points=10,
)
YAML_TOO_DEEP = Rule(
    "yaml-too-deep",
    Severity.HIGH,
    "Values are nested more than 64 deep",
    "Deep nesting crashes the parsers of many tools.",
    "Flatten the structure.",
    cwe=674,
    points=10,
)
YAML_RECURSION = Rule(
    "yaml-recursion",
    Severity.HIGH,
    "A value contains itself",
    "A reference to a value that it stands in never ends; tools that follow it hang.",
    "Remove the reference.",
    cwe=674,
    points=10,
)
YAML_ALIAS_BOMB = Rule(
    "yaml-alias-bomb",
    Severity.HIGH,
    "References multiply the file",
    "A few lines of references to references stand for gigabytes, which takes down whoever writes them out.",
    "Write the values out, or refer to them less than 100 times.",
    cwe=776,
    points=10,
)
YAML_MERGE_KEY = Rule(
    "yaml-merge-key",
    Severity.HIGH,
    "A merge key (`<<`) is used",
    "Merge keys left YAML with version 1.2: tools disagree on what overrides what, and nested ones take time that"
    " grows exponentially.",
    "Write the merged keys out.",
    cwe=776,
    points=10,
)
YAML_TAG = Rule(
    "yaml-tag",
    Severity.HIGH,
    "A tag is not one of YAML's own",
    "Tags such as `!!python/object` ask the tool that reads the file to build objects of its own: with some tools"
    " that runs code.",
    "Remove the tag; `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq` are understood.",
    cwe=502,
    points=10,
)
YAML_CONTROL_CHARACTER = Rule(
    "yaml-control-character",
    Severity.MEDIUM,
    "A text holds control characters",
    "Escape sequences move the cursor, rewrite lines and set titles in terminals and logs, so that a reader sees"
    " something else than what runs.",
    "Remove the character; where a program needs it, let the program make it (`printf '\\033'`).",
    cwe=150,
    points=5,
)
YAML_BIDI = Rule(
    "yaml-bidi",
    Severity.MEDIUM,
    "Text changes its reading direction",
    "Bidirectional controls make a line look different from what it says: a reviewer approves another command than"
    " the one that runs.",
    "Remove the character.",
    cwe=1007,
    points=10,
)
NOT_A_PACKAGE = Rule(
    "not-a-package",
    Severity.HIGH,
    "The file holds no WorkflowPackage",
    "It was given as a package, but there is nothing in it to try.",
    "Begin the document with `apiVersion: v1` and `kind: WorkflowPackage`, or leave the file out.",
    points=10,
)
WRONG_API_VERSION = Rule(
    "wrong-api-version",
    Severity.HIGH,
    "The version of the format is unknown",
    "Fields may mean something else in another version of the format.",
    "Write `apiVersion: v1`.",
    points=10,
)
WRONG_STRUCTURE = Rule(
    "wrong-structure",
    Severity.HIGH,
    "A part of the package has the wrong shape",
    "What should be a mapping or a list is something else, so what it holds cannot be found.",
    "Compare with `schema/wpk.schema.json`; most often the indentation is wrong.",
    points=10,
)
MISSING_FIELD = Rule(
    "missing-field",
    Severity.HIGH,
    "The package lacks a field that it needs",
    "Without a name the package cannot be reported on, without handlers it does nothing.",
    "Add the field.",
    points=10,
)
INCOMPLETE_PART = Rule(
    "incomplete-part",
    Severity.MEDIUM,
    "A handler, step, trigger or case lacks a field that it needs",
    "The engine would fail here, or do something that nobody wrote down. The step is skipped.",
    "Add the field.",
    points=5,
)
AMBIGUOUS_STEP = Rule(
    "ambiguous-step",
    Severity.MEDIUM,
    "A step says two things at once",
    "Which of them runs, and in which order, depends on the engine. The step is skipped.",
    "Make two steps of it.",
    points=5,
)
UNKNOWN_FIELD = Rule(
    "unknown-field",
    Severity.MEDIUM,
    "A field is unknown",
    "A misspelt field is ignored where the runbook runs: a timeout or a safety switch that is not there.",
    "Correct its name or remove it.",
    points=5,
)
UNKNOWN_ACTION = Rule(
    "unknown-action",
    Severity.MEDIUM,
    "An action is unknown",
    "Nobody can say what it would do. The step is skipped.",
    "Use one of the actions of the format.",
    points=5,
)
UNKNOWN_TYPE = Rule(
    "unknown-type",
    Severity.MEDIUM,
    "A type is unknown",
    "Nobody can say what it would do. What it describes is left out.",
    "Use one of the types of the format.",
    points=5,
)
INVALID_VALUE = Rule(
    "invalid-value",
    Severity.MEDIUM,
    "A value is not what the field takes",
    "The engine would fail here, or take a value that nobody meant. The value is left out.",
    "Write a value of the form that the field takes.",
    points=5,
)
CASE_INVALID = Rule(
    "case-invalid",
    Severity.HIGH,
    "A case file cannot be used",
    "The package would be tried in another situation than the one that its author described.",
    "Compare with `schema/case.schema.json`.",
    points=10,
)
CASE_OBJECT = Rule(
    "case-object",
    Severity.HIGH,
    "An object of a case is not a Kubernetes object",
    "The sandbox cannot make it, so the package would be tried in another situation than the one described.",
    "Give it `apiVersion`, `kind` and `metadata.name`.",
    points=10,
)
CASE_NOT_USED = Rule(
    "case-not-used",
    Severity.INFO,
    "A part of the case is not used",
    "`expect` is understood, but this version does not act on it.",
    "Nothing has to be done.",
)
TOO_MANY_PROBLEMS = Rule(
    "too-many-problems",
    Severity.INFO,
    "The file has more problems than are shown",
    "After the first hundred, further ones help nobody.",
    "Correct the problems shown, and run again.",
)

LOAD_RULES: tuple[Rule, ...] = (
    FILE_UNREADABLE,
    FILE_OUTSIDE,
    FILE_LINK,
    FILE_NAME,
    FILE_NOT_AS_COMMITTED,
    FILE_LARGE,
    YAML_TOO_LARGE,
    YAML_ENCODING,
    YAML_BYTE_ORDER_MARK,
    YAML_LINE_ENDINGS,
    YAML_SYNTAX,
    YAML_DUPLICATE_KEY,
    YAML_COMPLEX_KEY,
    YAML_TOO_DEEP,
    YAML_RECURSION,
    YAML_ALIAS_BOMB,
    YAML_MERGE_KEY,
    YAML_TAG,
    YAML_CONTROL_CHARACTER,
    YAML_BIDI,
    NOT_A_PACKAGE,
    WRONG_API_VERSION,
    WRONG_STRUCTURE,
    MISSING_FIELD,
    INCOMPLETE_PART,
    AMBIGUOUS_STEP,
    UNKNOWN_FIELD,
    UNKNOWN_ACTION,
    UNKNOWN_TYPE,
    INVALID_VALUE,
    CASE_INVALID,
    CASE_OBJECT,
    CASE_NOT_USED,
    TOO_MANY_PROBLEMS,
)


def fatal(severity: Severity) -> bool:
    """True for the severities that leave a document without a package."""
    return severity.rank >= Severity.HIGH.rank


def whole_file(path: str) -> Location:
    """The place of a problem that no line of the file has."""
    return Location(path)
