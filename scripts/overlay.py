"""OpenAPI Overlay 1.x (update and remove), applied strictly: an action that no longer fits is an error.

The standard lets an action match nothing. For us that is news: Atlas fixed, renamed or dropped something. So each
action has to match (`x-expect-matches` nodes, if given), to find what it replaces (`x-expect-value`), and to change
something.
"""

import copy
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonpath import JSONPathEnvironment, JSONPathError, JSONPathMatch

from .errors import SpecError
from .grammar import Json
from .merge import shown

JSONPATH = JSONPathEnvironment(strict=True)  # RFC 9535 and nothing beyond it
YAML: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, ten times as fast
KNOWN = {"target", "description", "update", "remove"}


class Action(NamedTuple):
    """One action of an overlay file, and where it stands."""

    where: str
    data: Json


class Misfit(ValueError):
    """An action does not fit the document."""


class Superfluous(Misfit):
    """An action changes nothing: the document already says what it would make it say."""


class Misfitting(NamedTuple):
    """An action that does not fit, and why."""

    action: Action
    misfit: Misfit

    def __str__(self) -> str:
        return f"{self.action.where} ({self.action.data.get('target')}): {self.misfit}"


def load(path: Path) -> list[Action]:
    try:
        document = yaml.load(path.read_text("utf-8"), YAML)  # noqa: S506 - a safe loader
        version, actions = str(document["overlay"]), list(document["actions"])
    except (yaml.YAMLError, LookupError, TypeError) as error:
        raise SpecError(path.name, [f"not an overlay: {' '.join(str(error).split())}"]) from None
    if not re.fullmatch(r"1\.[01]\.\d+", version):
        raise SpecError(path.name, [f"overlay version {version}, expected 1.0.x or 1.1.x"])
    return [Action(f"{path.name} actions[{i}]", data) for i, data in enumerate(actions)]


def apply(document: Json, actions: list[Action]) -> Json:
    """A changed copy of the document; all misfits together are one SpecError."""
    document, misfits = fit(document, actions)
    if misfits:
        raise SpecError("the overlays do not fit", map(str, misfits))
    return document


def fit(document: Json, actions: list[Action]) -> tuple[Json, list[Misfitting]]:
    """A copy of the document, changed by every action that fits, and the others."""
    document = copy.deepcopy(document)
    misfits: list[Misfitting] = []
    for action in actions:
        try:
            act(document, action.data)
        except Misfit as misfit:
            misfits.append(Misfitting(action, misfit))
    return document, misfits


def act(document: Json, action: Json) -> None:
    """Apply one action in place."""
    check_form(action)
    matches = find(document, action)
    before = json.dumps(document, default=str)
    for match in matches:
        if action.get("remove"):
            del container(match)[match.parts[-1]]
        else:
            update(match, action["update"])
    if json.dumps(document, default=str) == before:
        raise Superfluous("changes nothing; if Atlas has corrected this, drop the action")


def check_form(action: Json) -> None:
    if unknown := {key for key in action.keys() - KNOWN if not key.startswith("x-")}:
        raise Misfit(f"unknown members {sorted(unknown)}")
    if missing := [key for key in ("target", "description") if not action.get(key)]:
        raise Misfit(f"without {' and '.join(missing)}")
    if ("update" in action) == bool(action.get("remove")):
        raise Misfit("exactly one of update and remove: true is needed")


def find(document: Json, action: Json) -> list[JSONPathMatch]:
    """The matched nodes, once each, in an order in which removals do not shift what is still to be removed."""
    try:
        matches = list({match.path: match for match in JSONPATH.finditer(action["target"], document)}.values())
    except JSONPathError as error:
        raise Misfit(f"the target is not RFC 9535 JSONPath: {error}") from None
    expected = action.get("x-expect-matches")
    if not matches or expected not in (None, len(matches)):
        raise Misfit(f"matches {len(matches)} nodes, expected {expected or 'at least one'}")
    if "x-expect-value" in action:
        for match in matches:
            if match.obj != action["x-expect-value"]:
                raise Misfit(f"{match.path} is {shown(match.obj)}, expected {shown(action['x-expect-value'])}")
    return sorted(matches, key=lambda m: m.parts[-1] if m.parts and isinstance(m.parts[-1], int) else -1, reverse=True)


def update(match: JSONPathMatch, new: Any) -> None:
    """Merge into an object, append to a list, replace anything else (Overlay 1.1, Action Object, `update`)."""
    old = match.obj
    if isinstance(old, dict) and isinstance(new, dict):
        graft(old, new)
    elif isinstance(old, list):
        old.extend(copy.deepcopy(new if isinstance(new, list) else [new]))
    elif isinstance(old, dict) or isinstance(new, (dict, list)):
        raise Misfit(f"an update of type {type(new).__name__} does not fit {type(old).__name__}")
    else:
        container(match)[match.parts[-1]] = new


def container(match: JSONPathMatch) -> Any:
    """What holds the matched node; the document itself is held by nothing and cannot be replaced."""
    if match.parent is None:
        raise Misfit("the document itself cannot be removed or replaced")
    return match.parent.obj


def graft(into: Json, new: Json) -> None:
    for key, value in new.items():
        old = into.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            graft(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            old.extend(copy.deepcopy(value))
        elif isinstance(old, (dict, list)) or (key in into and isinstance(value, (dict, list))):
            raise Misfit(f"{key}: {type(value).__name__} cannot be merged into {type(old).__name__}")
        else:
            into[key] = copy.deepcopy(value)
