"""A model whose facts serving cannot read is refused when it is exported or opened, not at the first request."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from data_contracts.errors import ArtifactError
from features.catalogue import FEATURE_NAMES
from models.artifact import to_files
from models.trial_parse import _ONE_THREAD, checked_model, trial_parse
from tests.lib.models import additive_model, boosted_model, linear_model

PROJECT = Path(__file__).parents[2]
MODEL = linear_model()
IMPORTANCE = {"features": {name: {"value": 1.0} for name in FEATURE_NAMES}}
GROUP = {"persons": 60, "log_odds": -1.0, "contributions": [0.0] * len(FEATURE_NAMES)}
SOUND = {
    "importance": IMPORTANCE,
    "typical_missing": {"known_share": dict.fromkeys(FEATURE_NAMES, 0.8)},
    "reference_groups": {"groups": {"population": GROUP}},
    "label": {"nb": "langt fravær", "en": "long absence"},
    "horizon_days": 365,
    "horizons": {"30": [-2.0, 0.1], "365": None},
    "training_range": {"age_years": [20, 66]},
}
TAMPERED = {
    "importance without what is missing": {"typical_missing": None},
    "importance of other features": {"importance": {"features": {}}},
    "groups of the wrong length": {"reference_groups": {"groups": {"population": GROUP | {"contributions": [0.0]}}}},
    "a group that is no number": {"reference_groups": {"groups": {"population": GROUP | {"log_odds": float("nan")}}}},
    "a label without English": {"label": {"nb": "langt fravær"}},
    "a label that is a number": {"label": {"nb": "langt fravær", "en": 5}},
    "no label at all": {"label": None},
    "a horizon that is a letter": {"horizons": {"30": "a"}},
    "a day that is none": {"horizons": {"soon": [0.0, 1.0]}},
    "a line that is no number": {"horizons": {"30": [float("nan"), 0.0], "365": None}},
    "days that are none": {"horizon_days": "365"},
    "a range of one end": {"training_range": {"age_years": [20]}},
    "a range of words": {"training_range": {"age_years": ["a", "b"]}},
}


def files_of(facts: object, model=MODEL) -> dict[str, bytes]:
    """The files of a model with other facts, NaN among them, as somebody who writes them by hand may."""
    files = to_files(model)
    return {**files, "model.json": json.dumps(json.loads(files["model.json"]) | {"facts": facts}).encode()}


@pytest.mark.parametrize("model", [MODEL, additive_model(), boosted_model()], ids=lambda model: model.kind)
def test_a_sound_model_passes(model):
    files = files_of(dict(model.facts) | SOUND, model)
    trial_parse(files)
    assert checked_model(files).outcome == model.outcome


@pytest.mark.parametrize("changes", TAMPERED.values(), ids=TAMPERED)
def test_facts_that_cannot_be_served_are_refused(changes):
    facts = {name: value for name, value in (SOUND | changes).items() if name == "label" or value is not None}
    with pytest.raises(ArtifactError, match="again"):
        checked_model(files_of(dict(MODEL.facts) | facts))


@pytest.mark.parametrize("facts", [None, [], "facts"])
def test_facts_that_are_none_are_refused(facts):
    with pytest.raises(ArtifactError):
        checked_model(files_of(facts))


def test_a_refit_that_gives_no_number_is_refused():
    document = json.loads(to_files(MODEL)["model.json"])
    document["refits"][0]["intercept"] = float("nan")
    with pytest.raises(ArtifactError, match="interval"):
        checked_model({"model.json": json.dumps(document).encode()})


@pytest.mark.parametrize("changes", [{"outcome": "luck"}, {"feature_names": ("shoe_size", *FEATURE_NAMES[1:])}])
def test_what_this_code_does_not_know_is_refused(changes):
    with pytest.raises(ArtifactError, match="cannot be served"):
        checked_model(to_files(replace(MODEL, refits=(), **changes)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the limit")
def test_a_trial_has_memory_enough_for_trees_and_no_more():
    program = (
        "import resource; from models import trial_parse; "
        "print(trial_parse._main(), *resource.getrlimit(resource.RLIMIT_AS))"
    )
    message = json.dumps({name: base64.b64encode(data).decode() for name, data in to_files(boosted_model()).items()})
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, input=message, text=True, capture_output=True,
        env={**os.environ, **_ONE_THREAD},
    )  # fmt: skip
    assert found.stdout.split() == ["0", str(4 * 2**30), str(4 * 2**30)], found.stderr
