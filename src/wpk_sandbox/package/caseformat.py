"""The case file as its authors write it: the situations to try a package in."""

from typing import Annotated, Any, Literal

from pydantic import Field

from wpk_sandbox.package.fields import Closed, FilledText, Free, Method, Scalar, Text
from wpk_sandbox.package.format import Object

Mapping = dict[str, Any]


class Request(Closed):
    """The HTTP calls that a mock answers."""

    url: FilledText = Field(description="The address; `*` stands for anything.")
    method: Method | None = Field(None, description="Any method, where nothing is said.")


class Response(Closed):
    """What a mock answers."""

    status: Annotated[int, Field(ge=100, le=599)] | None = Field(None, description="200 where nothing is said.")
    headers: dict[str, Scalar] | None = Field(None, description="HTTP headers.")
    body: Any = Field(None, description="The body; what is not text is sent as JSON.")


class Mock(Closed):
    """What the outside would answer."""

    request: Request
    response: Response | None = None


class Mocks(Closed):
    """The mocks of the settings."""

    mocks: list[Mock]


class Expectation(Closed):
    """What the run must come to."""

    verdict: Literal["pass", "fail", "inconclusive"] | None = Field(None, description="The verdict.")
    objects: list[Object] | None = Field(None, description="Parts of objects as they must be after the run.")
    rollback: Literal["restored", "residue", "failed", "not declared", "not run"] | None = Field(
        None, description="What the rollback must come to."
    )


class CaseEntry(Closed):
    """One situation."""

    name: FilledText = Field(description="What a reader calls it.")
    event: Mapping | None = Field(
        None, description="What the trigger would have told: `namespace`, `deployment`, `pod`, `job`, …"
    )
    parameters: dict[str, Scalar] | None = Field(None, description="The values of `${NAME}`.")
    objects: list[FilledText | Free] | None = Field(
        None, description="What exists before the run: paths of manifests, relative to this file, or objects."
    )
    mocks: list[Mock] | None = Field(None, description="What the outside answers.")
    expect: Expectation | None = Field(None, description="What the run must come to. Read, not yet used.")


class CaseFile(Closed):
    """The situations to try a package in; stands beside `NAME.wpk.yaml` as `NAME.wpk.test.yaml`."""

    cases: list[CaseEntry] = Field(min_length=1, description="Each is a run of its own, in a sandbox of its own.")
    description: Text | None = Field(None, description="For a reader.")
