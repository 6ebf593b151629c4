"""Which answer leads to which request: from the worklist to a person, and from a stored answer to a decision about it."""

from __future__ import annotations

from typing import Any

_FIRST = {"person_id": "$response.body#/persons/0/person_id"}
_SAME = {"person_id": "$request.path.person_id"}
_DECISION = {
    "score_id": "$response.body#/score_id",
    "outcome": "long_sick_leave",
    "verdict": "agree",
    "reason": "Known and followed up.",
}
_WORKLIST, _PERSON = ("/v1/worklist", "get"), "/v1/persons/{person_id}"
_LINKS: tuple[tuple[tuple[str, str], str, dict[str, Any]], ...] = (
    (_WORKLIST, "BeginCare", {"operationId": "post_v1_persons_person_id_care_relation", "parameters": _FIRST}),
    (_WORKLIST, "ReadFirst", {"operationId": "get_v1_persons_person_id_risk", "parameters": _FIRST}),
    (
        (f"{_PERSON}/care-relation", "post"), "ReadPerson",
        {"operationId": "get_v1_persons_person_id_risk", "parameters": _SAME},
    ),
    (
        (f"{_PERSON}/risk", "get"), "Decide",
        {"operationId": "post_v1_persons_person_id_decisions", "parameters": _SAME, "requestBody": _DECISION},
    ),
)  # fmt: skip


def links(paths: dict[str, Any]) -> None:
    """Add the links to the good answers of the operations that there are."""
    declared = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    for (path, method), name, link in _LINKS:
        if path in paths and link["operationId"] in declared:
            paths[path][method]["responses"]["200"].setdefault("links", {})[name] = link
