"""Parts of the simulator by themselves: parameters, certificates, versions and consents."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import yaml

from data_contracts.instruments import Instrument, Item, Scale
from data_contracts.time_windows import NO_DAY, day_number
from pipeline.simulation import survey
from pipeline.simulation.blocks import Block
from pipeline.simulation.certificates import draw_certificates, latest_per_day
from pipeline.simulation.consents import Consents
from pipeline.simulation.lab_reports import code_of
from pipeline.simulation.normal import normal_probability
from pipeline.simulation.parameters import FILE, read_parameters
from pipeline.simulation.spells import Spells, overlaps
from pipeline.simulation.timeline import Timeline
from pipeline.simulation.world import build_world

START, END = date(2021, 1, 1), date(2026, 1, 1)
PARAMETERS = read_parameters()


def small_block(seed: int = 3) -> Block:
    return Block(seed, 0, Timeline.between(START, END, 8, 4), PARAMETERS)


def test_every_parameter_names_its_unit_and_its_source() -> None:
    for section, content in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        parameters = [content] if "value" in content else content.values()
        assert all(set(parameter) == {"value", "unit", "source"} for parameter in parameters), section


def test_a_long_spell_arrives_in_instalments_and_ends_with_its_true_last_day() -> None:
    """100 days: 14, then steps of 28, each known later than the one before; the last one is the truth."""
    spells = Spells(np.zeros(200, dtype=int), np.full(200, 18_000), np.full(200, 100), np.zeros(200, dtype=int))
    rows = draw_certificates(small_block(), np.random.default_rng(1), spells, np.full(200, 100))
    for number in range(200):
        own = rows["spell"] == number
        assert (np.diff(rows["natural"][own]) > 0).all()
        assert rows["last_day"][own][-1] == 18_099
        assert list(rows["last_day"][own][:-1]) in ([NO_DAY], [18_013, 18_041, 18_069, 18_097])


def test_a_short_spell_is_certified_whole_or_corrected_to_fewer_days() -> None:
    spells = Spells(np.zeros(500, dtype=int), np.full(500, 18_000), np.full(500, 5), np.zeros(500, dtype=int))
    rows = draw_certificates(small_block(), np.random.default_rng(1), spells, np.full(500, 100))
    last_version = np.append(np.diff(rows["spell"]) > 0, True)
    assert (rows["last_day"][last_version] == 18_004).all()
    assert (rows["last_day"][~last_version] > 18_004).all()
    assert 5 < (~last_version).sum() < 60


def test_of_versions_read_on_one_day_only_the_last_is_delivered() -> None:
    """Two different rows with one fact and one known_from would contradict each other."""
    fact, known_from = np.array([1, 1, 1, 2, 2]), np.array([7, 9, 9, 9, 9])
    assert latest_per_day(fact, known_from).tolist() == [True, False, True, False, True]


def test_an_older_row_is_read_on_the_day_of_consent_and_none_after_withdrawal() -> None:
    given = np.ones((4, 1), dtype=bool)
    consents = Consents(given, np.array([100]), np.full((4, 1), 200), np.ones((4, 4, 1), dtype=bool))
    natural = np.array([50, 150, 200, 250])
    known_from, is_readable = consents.readable("lab", np.zeros(4, dtype=int), natural, end=240)
    assert known_from.tolist() == [100, 150, 200, 250]
    assert is_readable.tolist() == [True, True, False, False]


def test_self_certified_spells_stay_out_of_other_absence() -> None:
    world = build_world(small_block())
    assert len(world.self_certified.days) > 1000
    assert not overlaps(world.self_certified, world.certified).any()


def test_overlaps_counts_both_ends() -> None:
    others = Spells(np.array([0, 1]), np.array([10, 10]), np.array([5, 5]), np.zeros(2, dtype=int))
    first = np.array([5, 5, 14, 15, 12])
    length = np.array([5, 6, 1, 3, 1])
    spells = Spells(np.array([0, 0, 1, 1, 2]), first, length, np.zeros(5, dtype=int))
    assert overlaps(spells, others).tolist() == [False, True, True, False, False]


def test_an_instrument_without_loadings_follows_the_latent_of_its_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new instrument must need no code here, only its name in the parameters."""
    items = tuple(Item(f"item_{k}", (0.0, 1.0, 2.0, 3.0)) for k in range(1, 4))
    scale = Scale(
        "new_wellbeing", tuple(item.id for item in items), "sum", 3, 0, 9, False, "mental_health", True, "n", "n"
    )
    monkeypatch.setattr(survey, "INSTRUMENTS", {"new": Instrument("new", "New", items, (scale,), "", "", "")})
    monkeypatch.setattr(PARAMETERS.survey, "instruments", {"new": "all"})
    model = survey.scale_models(PARAMETERS)["new_wellbeing"]
    distress = PARAMETERS.latents.names.index("distress")
    assert model.weights[distress] < 0
    assert 1.5 < model.centres[0] < 3
    assert model.unique == pytest.approx(np.sqrt(1 - 0.9**2))


def test_a_laboratory_code_that_is_not_declared_stops_the_simulation() -> None:
    from data_contracts.analytes import ANALYTES

    with pytest.raises(ValueError, match="no declared code"):
        code_of(ANALYTES[0], {ANALYTES[0].name: ["NPU", "NPU57947", "kPa"]})


def test_quarters_cover_history_and_a_year_past_the_end() -> None:
    timeline = Timeline.between(date(2021, 2, 15), date(2023, 2, 15), history=8, burn_in=4)
    firsts = timeline.quarters.astype("datetime64[D]").astype(str)
    assert firsts[0] == "2018-02-01"
    assert timeline.history_start == day_number("2019-02-01")
    assert firsts[timeline.index_quarters[0]] == "2021-05-01"
    assert timeline.quarters[-1] >= day_number("2024-02-01")


def test_normal_probability_agrees_with_the_tables() -> None:
    assert normal_probability(np.array([-1.96, 0, 1.0])) == pytest.approx([0.0249979, 0.5, 0.8413447], abs=1e-6)
