"""The picture and the table of the demo say the same as the answer, in words that read well."""

from __future__ import annotations

import struct
from typing import Any

from pipeline.risk_picture import draw, reason_text, safety_text, sentence


def reason(contribution: float, shown: str = "41.7 points", observed_on: str | None = None) -> dict[str, Any]:
    label = "A factor with a name so long that it has to be broken into two lines beside its bar"
    return {"label": {"en": label, "nb": label}, "shown": {"en": shown, "nb": shown}, "observed_on": observed_on,
            "contribution": contribution}  # fmt: skip


FLAG = {"instrument": "phq9", "item": "item_9", "answered_on": "2026-01-01",
        "notice": {"message": {"en": "A clinician must look.", "nb": "En kliniker må se."}}}  # fmt: skip


def answered(outcomes: dict[str, Any], *flags: dict[str, Any]) -> dict[str, Any]:
    return {"index_date": "2026-01-01", "safety_flags": list(flags), "outcomes": outcomes}


def outcome(**others: Any) -> dict[str, Any]:
    return {
        "label": {"en": "Burnout (CBI 50 or more)", "nb": "Utbrenthet (CBI 50 eller mer)"},
        "risk": 0.28, "interval": [0.171, 0.529], "reference_risk": 0.17, "reasons": [reason(0.5), reason(-0.2)],
        "model": {"name": "logistic", "version": "1", "synthetic": True},
    } | others  # fmt: skip


def size(path) -> tuple[int, int]:
    return struct.unpack(">II", path.read_bytes()[16:24])


def test_the_sentence_keeps_acronyms():
    assert sentence(outcome()) == (
        "28 of 100 with a similar profile: burnout (CBI 50 or more)\n(uncertainty 17–53 (90 %) · reference group 17 of 100)"
    )
    assert sentence(outcome(interval=None), "nb").endswith(
        "utbrenthet (CBI 50 eller mer)\n(referansegruppen 17 av 100)"
    )


def test_a_reason_says_its_day_only_where_it_has_one_and_never_parts_number_and_unit():
    assert reason_text(reason(0.1)).endswith(": 41.7\N{NO-BREAK SPACE}points")
    assert reason_text(reason(0.1, observed_on="2025-10-10")).endswith("points (2025-10-10)")


def test_two_full_outcomes_fit_a_sheet_of_a4_on_its_side(tmp_path):
    full = outcome(reasons=[reason(0.1 * place) for place in (-3, -2, -1, 1, 2, 3, 4, 5)])
    draw(answered({"a": full, "b": full}), tmp_path / "two.png")
    width, height = size(tmp_path / "two.png")
    assert height / width < 210 / 297 + 0.01


def test_an_answer_without_a_number_or_without_reasons_is_drawn_too(tmp_path):
    for outcomes in ({"a": outcome(risk=None)}, {"a": outcome(reasons=[])}):
        draw(answered(outcomes), tmp_path / "one.png", "nb")
        assert size(tmp_path / "one.png")[0] > 1000


def test_a_safety_flag_stands_above_the_risks_and_says_its_day_once(tmp_path):
    flagged = answered({"a": outcome()}, FLAG, FLAG)
    assert safety_text(flagged) == "A clinician must look. (2026-01-01)"
    assert safety_text(answered({})) == ""
    assert safety_text(answered({}, FLAG | {"answered_on": None})) == "A clinician must look. (day unknown)"
    draw(answered({"a": outcome()}), tmp_path / "without.png")
    draw(flagged, tmp_path / "with.png")
    assert size(tmp_path / "with.png")[1] > size(tmp_path / "without.png")[1]
