"""What the programme offers: both languages, where it comes from, and a measure for every workplace scale."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from data_contracts.domains import DOMAIN_LABELS
from data_contracts.instruments import INSTRUMENTS
from data_contracts.programme_offers import LEVEL_LABELS, OFFERS, WORKPLACE_MEASURES, measure_for, offer_for

WORK = "stress_and_work_environment"
SCALES = {scale.name: scale for instrument in INSTRUMENTS.values() for scale in instrument.scales}


def test_domains_that_can_be_worked_with_have_an_offer_and_the_past_has_none():
    assert [domain for domain in DOMAIN_LABELS if offer_for(domain) is None] == ["absence_history", "life_situation"]
    assert {domain: offer.domain for domain, offer in OFFERS.items()} == {domain: domain for domain in OFFERS}


def test_strain_at_work_leads_to_the_workplace_first():
    offer = offer_for(WORK)
    assert offer is not None
    assert "arbeidsplassen" in offer.label["nb"]


def test_every_scale_of_the_work_environment_that_can_be_worked_with_has_one_measure():
    named = Counter(scale for measure in WORKPLACE_MEASURES for scale in measure.scales)
    wanted = {name for name, scale in SCALES.items() if scale.domain == WORK and scale.modifiable}
    assert named == Counter(wanted)


def test_a_measure_is_found_by_its_scale():
    found = measure_for("qpsnordic34_control")
    assert found is not None
    assert (found.name, LEVEL_LABELS[found.level]["nb"]) == ("influence", "Arbeidsgruppen")
    assert measure_for("bis_insomnia") is None


@pytest.mark.parametrize("one", [*OFFERS.values(), *WORKPLACE_MEASURES], ids=lambda one: one.label["en"])
def test_each_is_told_in_both_languages_with_its_origin(one):
    for texts in (one.label, one.text):
        assert set(texts) == {"nb", "en"}
        assert all(text and text == text.strip() for text in texts.values())
    assert re.fullmatch(r"00[012]:\d+(-\d+)?(, 00[012]:\d+(-\d+)?)*", one.origin)
