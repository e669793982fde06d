"""The JSON Schemas of a package and of a case file, for editors and for other tools.

`python -m wpk_sandbox.package.schema FOLDER` writes them; a test holds the files in `schema/` to what it writes.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wpk_sandbox.package.caseformat import CaseFile
from wpk_sandbox.package.format import WorkflowPackage

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PACKAGE_FILE = "wpk.schema.json"
CASE_FILE = "case.schema.json"


def package_schema() -> dict[str, Any]:
    """The JSON Schema of one WorkflowPackage document."""
    return _schema(WorkflowPackage, PACKAGE_FILE, "WorkflowPackage")


def case_schema() -> dict[str, Any]:
    """The JSON Schema of a case file."""
    return _schema(CaseFile, CASE_FILE, "Cases of a WorkflowPackage")


def write_schemas(folder: str | Path) -> tuple[Path, ...]:
    """Write both schemas into a folder, and return their paths."""
    written = []
    for name, schema in ((PACKAGE_FILE, package_schema()), (CASE_FILE, case_schema())):
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(schema), encoding="utf-8")
        written.append(path)
    return tuple(written)


def text(schema: dict[str, Any]) -> str:
    """A schema as it stands in a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(model: type[BaseModel], identifier: str, title: str) -> dict[str, Any]:
    model.model_rebuild()
    schema = model.model_json_schema()
    return {"$schema": DRAFT, "$id": identifier, **schema, "title": title}


if __name__ == "__main__":
    write_schemas(sys.argv[1])
