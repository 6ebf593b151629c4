"""The overview of a person: the number in a sentence, the reasons, the gaps, and nothing where there is no number."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete

from models.explanation import Comparison
from models.reference_groups import ALL_GROUPS, POPULATION
from models.wording import RISK_BANDS
from serving import notices
from serving.clinician.diagnosis_groups import without_groups
from serving.clinician.icon_array import icon_array
from serving.clinician.language import words
from serving.clinician.person import comparisons, model_text
from serving.clinician.reasons import is_about_work, strongest
from serving.clinician.sentences import headline, span
from serving.clinician.unknown import gap
from serving.notices import SENT, Notice
from serving.predictor import LOWERING, RAISING, Predictor
from serving.store.tables import RECORDS
from tests.lib.deployment import REQUEST
from tests.lib.explanations import explained
from tests.lib.models import boosted_model, linear_model
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of, write_night

SAY = words("nb")
BURNOUT = f"{HOME}?outcome=burnout"
MODELS = {model.outcome: model for model in (linear_model(), boosted_model())}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    with clinicians_pages(tmp_path_factory.mktemp("person")) as found:
        found.begin_care()
        yield found


@pytest.fixture
def opened(tmp_path):
    """Pages over another record or other models."""
    entered = []

    def open_pages(record: dict[str, Any]):
        entered.append(clinicians_pages(tmp_path, record))
        found = entered[-1].__enter__()
        found.begin_care()
        return found

    yield open_pages
    for one in entered:
        one.__exit__(None, None, None)


def record() -> dict[str, Any]:
    return copy.deepcopy(REQUEST["record"])


def scored(of: dict[str, Any], outcome: str = "burnout") -> Any:
    return Predictor(MODELS).predict(of, NIGHT, [outcome], NIGHT).outcomes[outcome]


def test_the_sentence_comes_first_with_interval_band_reference_model_and_date(pages):
    page, risk = pages.get(BURNOUT), scored(record())
    text = text_of(page)
    low, high = (round(100 * limit) for limit in risk.interval)
    sentence = (
        f"Modellen anslår at omtrent {round(100 * risk.risk)} av 100 med lignende profil kommer på 50 eller mer ved neste "
        "spørreskjema om utmattelse (CBI), 3 til 13 måneder fram."
    )
    assert page.status_code == 200
    assert sentence in text
    assert f"Modellens egen usikkerhet: {low} til {high} (90 prosent intervall)." in text
    assert "Det gjelder tallet, ikke hvordan det går med personen." in text
    assert f"{risk.band.label.nb} I referansegruppen: {round(100 * risk.reference_risk)} av 100." in text
    assert "lightgbm" not in text
    assert "Beregnet for 01.12.2025; trent på data fra 01.01.2022 til 01.01.2024." in text
    assert text.index(sentence) < text.index("Trekker opp i modellen") < text.index("Det vi ikke vet")


def test_the_drawing_says_what_the_sentence_says(pages):
    page, n = pages.get(BURNOUT).text, round(100 * scored(record()).risk)
    empty, filled, _ = re.findall(r'<path d="([^"]+)"', page)
    assert (filled.count("M"), empty.count("M")) == (n, 100 - n)
    assert f"Hundre ruter: {n} er fylt" in page


def test_the_strongest_known_reasons_stand_there_with_the_workplace_first(pages):
    page = text_of(pages.get(BURNOUT))
    every = Predictor(MODELS).explain(record(), NIGHT, ["burnout"], NIGHT).outcomes["burnout"]
    up, down = page.split("▲ Trekker opp i modellen")[1].split("▼ Trekker ned i modellen")
    down = down.split("Det vi ikke vet")[0]
    for column, direction, most in ((up, "raises", RAISING), (down, "lowers", LOWERING)):
        told = strongest(without_groups(every).reasons, direction)
        assert len(told) == most
        assert column.index("Arbeidsplassen") < column.index("Personen")
        work, personal = column.split("Personen", 1)
        for one in told:
            assert f"{one.label['nb']}: {one.shown['nb']}" in (work if is_about_work(one.feature) else personal)
        assert "ikke kjent" not in column


def test_what_is_not_known_is_no_reason_and_a_group_that_the_person_is_not_in_neither():
    (one,) = explained(0.0, [[1.0]]).reasons
    raising = replace(one, direction="raises")
    given = [
        replace(raising, missing=True, value=None),
        replace(raising, feature="industry_office", value=0.0),
        replace(raising, feature="industry_trade"),
        replace(raising, direction="lowers"),
        *(replace(raising, feature=f"f{n}", value=0.0) for n in range(RAISING)),
    ]
    assert [one.feature for one in strongest(given, "raises")] == [
        "industry_trade",
        *(f"f{n}" for n in range(RAISING - 1)),
    ]
    assert strongest(given, "lowers") == [given[3]]


WORK = ("qpsnordic34_control", "qpsnordic34_control_change", "qpsnordic34_control_slope", "dcsq_demands", "shift_work",
        "copsoq3_influence", "events_downsizing_365", "company_cbi_work", "unit_days_doctor_365", "tenure_years")  # fmt: skip
OWN = ("cbi_personal", "cbi_work", "cbi_work_change", "olbi_exhaustion", "was_work_ability", "uwes3_engagement",
       "coping_expectancy", "copsoq3_self_rated_health", "days_doctor_365", "age_years")  # fmt: skip


def test_exhaustion_and_coping_are_no_factors_of_the_workplace():
    assert all(is_about_work(name) for name in WORK)
    assert not any(is_about_work(name) for name in OWN)


def test_the_band_is_not_contradicted_by_a_comparison_with_everybody():
    everybody, alike = (Comparison(group, {}, 50, 0.0, 0.0, {}, (), {}) for group in (POPULATION, ALL_GROUPS[0].name))
    one = explained(0.0, [[1.0]]).model_copy(update={"references": (everybody, alike)})
    assert comparisons(one) == [alike]


def test_a_reason_has_its_value_range_date_size_and_what_the_programme_offers(pages):
    text = text_of(pages.get(BURNOUT))
    assert "Bekymring og nedstemthet: 1,5 poeng" in text
    assert "skala 1–4, der høyt er mer belastning; registrert 14.10.2025" in text
    assert "Tilbud: Veiledning om mestring" in text
    assert re.search(r"Alder: 47 år \+\d+,\d prosentpoeng", text)
    up, down = text.split("Trekker ned i modellen")
    assert "kan arbeides med" in up
    assert "kan arbeides med" not in down.split("Det vi ikke vet")[0]
    printed = re.search(r"Alder: 47 år (\S+) prosentpoeng", text)[1]
    assert f"Alder 47 år {printed} prosentpoeng" in text_of(pages.get(f"{HOME}/contributions?outcome=burnout"))


def test_the_outcomes_are_links_with_their_numbers(pages):
    page = pages.get(HOME)
    risk = scored(record(), "long_sick_leave")
    assert "Sykefravær over 16 dager</h2>" in page.text
    assert f'href="?outcome=long_sick_leave" aria-current="true">{risk.label.nb}' in page.text
    assert f"Utbrenthet (CBI 50 eller mer) {round(100 * scored(record()).risk)} av 100" in text_of(page)


def test_outside_the_models_validity_there_is_no_number_but_the_reason_and_what_it_takes(opened):
    old = record()
    old["person"]["birth_year"] = 1930
    pages = opened(old)
    for page in (pages.get(HOME), pages.get(f"{HOME}/contributions")):
        text = text_of(page)
        assert page.status_code == 200
        assert "Modellen gir ikke noe tall for denne personen." in text
        assert notices.NOT_ELIGIBLE["age outside 18-70 or unknown"].message["nb"] in text
        assert not re.search(r"av 100|prosentpoeng|\d %|omtrent \d", text)
        assert not any(band.label_nb in text for band in RISK_BANDS)
        assert "<svg" not in page.text
    assert "Kontroller om fødselsåret er registrert riktig." in text_of(pages.get(HOME))


def test_a_page_without_a_number_shows_none_of_another_outcome_either(opened):
    high = record()
    for row in high["survey_answers"]:
        row["answer"] = 100 if row["instrument"] == "cbi" else row["answer"]
    pages = opened(high)
    text = text_of(pages.get(BURNOUT))
    assert notices.NOT_ELIGIBLE["burnout scale already at 50 or more"].message["nb"] in text
    assert "Sykefravær over 16 dager" in text
    assert "av 100" not in text
    other = text_of(pages.get(HOME))
    assert "av 100" in other
    assert "Utbrenthet (CBI 50 eller mer) ikke noe tall" in other


def test_a_safety_flag_stands_on_top_with_the_way_to_a_human_and_without_the_answer(opened):
    flagged = record()
    day = NIGHT.isoformat()
    row = {"instrument": "phq9", "item": "item_9", "answer": 2, "answered_on": day, "known_from": day}
    flagged["survey_answers"].append(row)
    pages = opened(flagged)
    for path in ("", "/contributions"):
        text = text_of(pages.get(HOME + path))
        assert notices.SAFETY.message["nb"] in text
        assert "Patient Health Questionnaire-9, spørsmål 9, besvart 01.12.2025" in text
        assert text.index("113") < text.index("av 100 med lignende profil")


def test_of_a_source_without_consent_it_is_said_that_the_choice_is_the_persons(opened):
    without = record()
    without["consents"] = [one for one in without["consents"] if one["source"] != "lab"]
    text = text_of(opened(without).get(BURNOUT))
    gaps = text.split("Det vi ikke vet")[1]
    assert notices.source_without_consent("lab").message["nb"] in gaps
    assert "Samtykket er personens eget valg." in gaps
    assert "referanse" not in gaps


def test_under_another_model_the_stored_number_and_reasons_stay_and_no_others_are_shown(opened):
    pages = opened(record())
    models = pages.service.parts.watch.predictor.models
    other = models | {"burnout": replace(models["burnout"], artifact_sha256="0" * 64)}
    pages.service.parts.watch.predictor = Predictor(other)
    text = text_of(pages.get(BURNOUT))
    assert f"omtrent {round(100 * scored(record()).risk)} av 100" in text
    assert "Modellen er byttet siden tallet ble beregnet" in text
    assert "Alder: 47 år" in text
    assert "prosentpoeng" not in text
    contributions = text_of(pages.get(f"{HOME}/contributions?outcome=burnout"))
    assert "Bare de sterkeste grunnene kan vises." in contributions
    assert "Utgangspunkt" not in contributions


def test_a_night_without_records_is_shown_from_the_stored_answer(opened):
    pages = opened(record())
    with pages.store.database.writing() as connection:
        connection.execute(delete(RECORDS))
    page = pages.get(BURNOUT)
    assert page.status_code == 200
    assert "Alder: 47 år" in text_of(page)


def test_earlier_numbers_are_drawn_and_told_with_a_mark_where_the_model_changed(opened):
    pages = opened(record())
    assert "Det er ikke to tall å sammenligne ennå." in text_of(pages.get(BURNOUT))
    earlier = {name: replace(one, version="0", artifact_sha256="e" * 64) for name, one in MODELS.items()}
    write_night(pages.store, Predictor(earlier), record(), NIGHT - timedelta(days=30))
    page = pages.get(BURNOUT)
    text, n = text_of(page), round(100 * scored(record()).risk)
    assert page.text.count("ny modell</text>") == 1
    assert f'aria-label="{n} av 100 den 01.12.2025, det eneste tallet fra denne modellen."' in page.text
    assert '<text x="2" y="12" font-size="12">av 100</text>' in page.text
    assert f"01.11.2025 {n} av 100" in text
    assert "versjon 0" in text
    write_night(pages.store, Predictor(MODELS), record(), NIGHT - timedelta(days=10))
    assert f'aria-label="Fra {n} av 100 den 21.11.2025 til {n} av 100 den 01.12.2025.' in pages.get(BURNOUT).text


def test_an_outcome_that_is_none_is_refused_and_one_without_a_score_is_not_there(pages):
    assert pages.get(f"{HOME}?outcome=weather").status_code == 422
    assert pages.get(f"{HOME}?outcome=absence_days").status_code == 404
    assert pages.get(f"{HOME}?person=p").status_code == 422


def test_nobody_sees_the_page_without_a_care_relation_and_each_view_is_logged(opened):
    pages = opened(record())
    assert pages.get(BURNOUT).status_code == 200
    refused = pages.get(BURNOUT, sub="clinician-2")
    assert refused.status_code == 403
    assert "av 100" not in text_of(refused)
    decisions = [one["decision"] for one in pages.service.events() if one["action"] == "read_person"]
    assert decisions == ["allowed", "denied"]


def test_the_pages_are_small(pages):
    for path in ("", "?outcome=burnout", "/contributions", "/contributions?outcome=burnout"):
        assert len(pages.get(HOME + path).content) < 150_000


def test_every_warning_has_an_answer_to_what_it_would_take():
    declared = [one for one in vars(notices).values() if isinstance(one, Notice) and one is not notices.SAFETY]
    made = [notices.not_sent(table, False) for table in SENT]
    made += [notices.source_without_consent(source) for source in ("survey", "lab", "absence", "employment")]
    made += [f(["a"], ["a"]) for f in (notices.outside_training_range, notices.too_little_known)]
    made.append(notices.little_known(0.5, ["a"], ["a"]))
    for one in (*declared, *notices.NOT_ELIGIBLE.values(), *made):
        assert gap(one).what_it_takes
    with pytest.raises(KeyError):
        gap(Notice("unheard_of", {}))


@pytest.mark.parametrize(
    ("risk", "said"),
    [(0.004, "at færre enn 1 av 100"), (0.006, "at omtrent 1 av 100"), (0.996, "at omtrent 100 av 100")],
)
def test_risks_at_the_ends_are_said_in_words(risk, said):
    one = explained(0.0, [[1.0]]).model_copy(update={"risk": risk})
    assert said in headline(SAY, "long_sick_leave", one).sentence


def test_expected_days_are_said_as_days():
    one = explained(0.0, [[1.0]], "days").model_copy(
        update={"expected_days": 9.4, "expected_days_interval": (6.2, 14.4), "reference_days": 1.2}
    )
    said = headline(SAY, "absence_days", one)
    assert said.sentence == (
        "Modellen anslår at personer med lignende profil i snitt får omtrent 9 sykefraværsdager de neste 12 månedene, regnet "
        "om til full stilling."
    )
    assert said.interval.startswith("Modellens egen usikkerhet: 6 til 14 (90 prosent intervall).")
    assert said.reference == "I referansegruppen: 1 dag i snitt."
    assert (said.short, said.of_100) == ("9 dager", None)


def test_an_interval_of_one_number_is_not_told_as_a_range():
    one = explained(0.0, [[1.0]]).model_copy(update={"interval": (0.121, 0.124)})
    assert headline(SAY, "long_sick_leave", one).interval == "Usikkerheten i modellen er mindre enn 1 av 100."
    days = explained(0.0, [[1.0]], "days").model_copy(update={"expected_days_interval": (1.6, 2.4)})
    assert headline(SAY, "absence_days", days).interval == "Usikkerheten i modellen er mindre enn én dag."


def test_a_model_without_a_version_has_none_on_the_page(pages):
    risk = scored(record())
    bare = risk.model_copy(update={"model": risk.model.model_copy(update={"version": "", "trained_on": None})})
    call = SimpleNamespace(night=NIGHT)
    named = risk.model_copy(update={"model": bare.model.model_copy(update={"version": "3"})})
    assert model_text(SAY, call, bare) == "Beregnet for 01.12.2025."
    assert model_text(SAY, call, named) == "Modellversjon 3, beregnet for 01.12.2025."


def test_spans_are_said_in_months_where_they_are_months():
    assert [span(SAY, days) for days in (14, 30, 90, 183, 200, 365, 400)] == [
        "14 dagene", "1 måneden", "3 månedene", "6 månedene", "200 dagene", "12 månedene", "13 månedene"
    ]  # fmt: skip


@pytest.mark.parametrize(("n", "corners"), [(0, 0), (7, 4), (10, 4), (18, 6), (100, 4)])
def test_the_outline_goes_once_around_the_first_squares(n, corners):
    drawn = icon_array(3, n).reference
    assert drawn.count("M") == (n > 0)
    # A line closes itself: one corner for each stroke, and the one where it began.
    assert len(re.findall("[hv]", drawn)) + (n > 0) == corners
