"""Turn what the SDK noticed on the wire into proposed overlay actions.

    python -m scripts.propose NOTES.jsonl

Each line of the file is one note as JSON: {"place": "RefundRule.ruleType", "kind": "unknown code", "value": "9",
"times": 3}; `atlas.deviations` has them. Prints actions for openapi/overlays/10-corrections.yaml, for a person to
check: what a note means is a question to Atlas, not to a program.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .errors import SpecError
from .extract import Json
from .generate import OPENAPI
from .overlay import JSONPATH


class Note(NamedTuple):
    """One kind of deviation at one place (`Model.member`), and how often it was seen."""

    place: str
    kind: str
    value: str | None
    times: int


def read_notes(lines: Iterable[str]) -> list[Note]:
    notes: list[Note] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            notes.append(Note(str(data["place"]), str(data["kind"]), data.get("value"), int(data.get("times", 1))))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            problems.append(f"line {number}: {type(error).__name__}: {error}")
    if problems:
        raise SpecError("the notes cannot be read", problems)
    return notes


def proposals(notes: Iterable[Note], corrected: Json, classes: Json) -> Iterator[Json]:
    """One overlay action a note; a note that none can cure comes as an action without update, to be decided."""
    targets = schema_targets(corrected, classes)
    for note in notes:
        model, _, member = note.place.partition(".")
        target = targets.get(model)
        if target is None:
            yield {"description": f"{note.place}: {note.kind} {note.value or ''}; no schema of this name", **seen(note)}
            continue
        where, update = change(target, member, note, corrected)
        yield {
            "target": where,
            "description": f"Seen on the wire: {note.kind}{f' {note.value}' if note.value else ''}.",
            **seen(note),
            "x-expect-matches": 1,
            **({"update": update} if update is not None else {"x-undecided": True}),
        }


def change(schema: str, member: str, note: Note, corrected: Json) -> tuple[str, Any]:
    """The node to change and the update that admits what was seen, None where there is more than one way."""
    place = f"{schema}.properties.{member}"
    match note.kind:
        case "unknown member":
            described = {"type": note.value, "nullable": True, "description": "Seen on the wire, not documented."}
            return f"{schema}.properties", {member: described}
        case "unknown code" if note.value is not None and note.value != "(not shown)":
            numbers = JSONPATH.findall(f"{place}[?@ == 'integer']", corrected)
            return f"{place}.enum", [int(note.value) if numbers else note.value]
        case "null or empty":
            return place, {"nullable": True}
        case _:  # another type, an absent member, a code that is not shown
            return place, None


def seen(note: Note) -> Json:
    return {"x-evidence": [f"seen on the wire, {note.times} times"], "x-proof": "text"}


def schema_targets(corrected: Json, classes: Json) -> dict[str, str]:
    """Class name -> JSONPath of its schema."""
    renamed = {name: override["class_name"] for name, override in classes.items()}
    targets = {renamed.get(name, name): f"$.components.schemas.{name}" for name in corrected["components"]["schemas"]}
    for path, item in corrected["paths"].items():
        for method, operation in item.items():
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            if "title" in schema:
                response = f"$.paths['{path}'].{method}.responses['200']"
                targets[schema["title"]] = f"{response}.content['application/json'].schema"
    return targets


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notes", type=Path)
    path = parser.parse_args(arguments).notes
    corrected = json.loads((OPENAPI / "corrected.json").read_text("utf-8"))
    classes = yaml.safe_load((OPENAPI / "generator.yaml").read_text("utf-8"))["class_overrides"]
    try:
        actions = list(proposals(read_notes(path.read_text("utf-8").splitlines()), corrected, classes))
    except (OSError, SpecError) as error:
        print(error, file=sys.stderr)
        return 1
    print(yaml.safe_dump(actions, sort_keys=False, allow_unicode=True, width=120), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
