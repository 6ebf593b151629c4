"""POST /v1/what-if: what the model would have said to other answers. It says so, and promises nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import numpy as np

from data_contracts.records import Source
from data_contracts.time_windows import latest_index_date
from features.catalogue import POSITIONS, feature
from features.record import tables_of_record
from features.workplace_context import NAMES as ABOUT_OTHERS
from models.explanation import Explanation
from models.risk_model import INTERVAL, RiskModel
from models.row_arithmetic import quantiles
from models.wording import shown_value
from serving import problems
from serving.call import Call
from serving.case import Case, Served
from serving.ended_consents import NOTHING
from serving.handlers.changed_answers import AlteredCase, changed
from serving.handlers.subjects import person_of
from serving.handlers.what_if_bodies import ChangedInput, OutcomeWhatIf, Side, WhatIfRequest, WhatIfResponse
from serving.notices import Notice
from serving.predictor import Predictor, case_of, scored
from serving.problems import Refused
from serving.responses import Texts

NOTICE = Notice(
    "model_answer_not_effect",
    {
        "nb": "Dette er en sammenheng i modellen: dens svar på andre svar, ikke virkningen av et tiltak. Det er ikke noe løfte "
        "om at risikoen endrer seg hvis svarene gjør det.",
        "en": "This is an association in the model: what it says to other answers, not the effect of an intervention. It is no "
        "promise that the risk changes if the answers do.",
    },
)
_SIDE = ("risk", "interval", "expected_days", "expected_days_interval", "band", "warnings")
_PERCENT = 100.0


def what_if(call: Call) -> WhatIfResponse:
    """Risks of each outcome with the answers as they are and as they would be."""
    request: WhatIfRequest = call.body
    if request.index_date > latest_index_date():
        last = latest_index_date().isoformat()
        raise Refused(problems.flagged(problems.index_date_too_late(last), request.record))
    assert call.predictor is not None  # the endpoint needs a model
    withdrawn = call.parts.withdrawals.of(person_of(request.record))
    return answered(call.predictor, request, call.today, withdrawn)


def answered(
    predictor: Predictor, request: WhatIfRequest, received_on: date, withdrawn: Mapping[Source, date] = NOTHING
) -> WhatIfResponse:
    """Answer a request.

    Raises
    ------
    RecordViolation
        If the record breaks the contract.
    OutcomeNotServed
        If an outcome has no model.
    Refused
        If a change cannot be made.
    """
    tables = tables_of_record(request.record, received_on)
    now = case_of(tables, request.index_date, received_on, withdrawn)
    served = predictor.asked(request.outcomes, now.safety_flags)
    altered, errors = changed(tables, request.changes, now)
    if errors:
        problem = problems.unprocessable("change-refused", "An answer cannot be changed so", errors)
        raise Refused(problems.flagged_notices(problem, now.safety_flags))
    other = case_of(altered, request.index_date, received_on, withdrawn)
    then = AlteredCase(other.histories, other.known, other.values, other.t, now.safety_flags, before=now)
    return WhatIfResponse(
        index_date=request.index_date,
        safety_flags=now.safety_flags,
        notice=NOTICE,
        outcomes={name: _outcome(served[name], now, then) for name in request.outcomes},
    )


def _outcome(served: Served, now: Case, then: Case) -> OutcomeWhatIf:
    (found_now, numbers_now), (found_then, numbers_then) = scored(served, now), scored(served, then)
    difference, interval = _difference(served.model, found_now, found_then)
    return OutcomeWhatIf(
        label=served.label,
        horizon_days=served.horizon_days,
        target=numbers_now["target"],
        now=Side(**{name: numbers_now[name] for name in _SIDE}),
        then=Side(**{name: numbers_then[name] for name in _SIDE}),
        difference=difference,
        difference_interval=interval,
        changed=_changed_inputs(served, now, then),
        model=served.body,
    )


def _difference(
    model: RiskModel, now: Explanation | None, then: Explanation | None
) -> tuple[float | None, tuple[float, float] | None]:
    """Return then minus now, and its quantiles over the refits; None where the model gives no number on either side."""
    if now is None or then is None:
        return None, None
    X = np.stack([now.values, then.values])
    scale = _PERCENT if model.link == "logit" else 1.0
    differences = scale * np.diff([one.risks(X) for one in (model, *model.refits)], axis=1)
    if not model.refits:
        return float(differences[0, 0]), None
    low, high = quantiles(differences[1:], INTERVAL)[0].tolist()
    return float(differences[0, 0]), (low, high)


def _changed_inputs(served: Served, now: Case, then: Case) -> tuple[ChangedInput, ...]:
    """Return the inputs of the model that differ, in its order; what is told of others never does."""
    before, after = now.seen_by(served).values[0], then.seen_by(served).values[0]
    names = [name for name in served.model.feature_names if name not in ABOUT_OTHERS]
    moved = [name for name in names if not _same(before[POSITIONS[name]], after[POSITIONS[name]])]
    return tuple(_changed_input(name, before[POSITIONS[name]], after[POSITIONS[name]]) for name in moved)


def _same(one: np.float32, other: np.float32) -> bool:
    return bool(one == other) or (math.isnan(one) and math.isnan(other))


def _changed_input(name: str, before: np.float32, after: np.float32) -> ChangedInput:
    one = feature(name)
    # The shortest text of a float32 reads back to the same float32.
    now, then = (None if math.isnan(value) else float(str(value)) for value in (before, after))
    return ChangedInput(
        feature=name,
        label=Texts(nb=one.label_nb, en=one.label_en),
        unit=one.unit,
        now=now,
        then=then,
        now_shown=Texts(**shown_value(one, now, False)),
        then_shown=Texts(**shown_value(one, then, False)),
        modifiable=one.modifiable,
    )
