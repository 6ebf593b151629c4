"""The model pages say what was sealed with the model, in both languages, and show nothing that was altered."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from features.catalogue import FEATURE_NAMES
from models.artifact import save
from models.bundle import EVALUATION, create_keys, export_bundle, open_bundle
from models.bundle_papers import card_path, write_card
from models.evaluation.suppression import COMPLEMENT, TOO_SMALL
from models.outcomes import OUTCOMES
from models.risk_model import RiskModel
from serving.clinician import figures
from serving.clinician.language import words
from serving.clinician.model_figures import calibration
from serving.clinician.model_groups import subgroups
from serving.clinician.model_view import _what
from serving.predictor import Predictor
from tests.lib.in_process import InProcess, running
from tests.lib.models import linear_model

OUTCOME = "long_sick_leave"
ADDRESS = f"/ui/models/{OUTCOME}"


def number(value: float, low: float, high: float) -> dict[str, float]:
    """A number with its interval."""
    return {"value": value, "low": low, "high": high}


IMPORTANCE = {
    "domains": {"sleep": number(0.13, 0.1, 0.2), "stress_and_work_environment": number(0.5, 0.4, 0.6)},
    "features": dict.fromkeys(FEATURE_NAMES, number(0.01, 0.0, 0.1))
    | {"cbi_work": number(0.5, 0.4, 0.6), "age_years": number(0.25, 0.2, 0.3)},
}
MEN = {"name": "male", "label_nb": "Menn", "label_en": "Men", "suppressed": None, "auroc": number(0.71, 0.6, 0.8),
       "observed_to_expected": number(1.5, 1.2, 1.9)}  # fmt: skip
FEW = {"name": "female", "label_nb": "Kvinner", "label_en": "Women", "suppressed": TOO_SMALL}
REST = {"name": "not_known", "label_nb": "Ikke kjent", "label_en": "Not known", "suppressed": COMPLEMENT}
FOUND = {
    "outcome": OUTCOME,
    "target": "event",
    "metrics": {"auroc": number(0.71, 0.69, 0.73), "observed_to_expected": number(1.04, 0.94, 1.15)},
    "test": {"persons": 1533, "persons_with_event": None, "first_index_date": "2024-01-01", "last_index_date": "2024-10-01"},
    "curve": {"risk": [0.05, 0.1, 0.3], "observed": [0.04, 0.12, 0.25]},
    "subgroups": {"attributes": [{"name": "sex", "label_nb": "Kjønn", "label_en": "Sex", "groups": [MEN, FEW, REST]}]},
    "harm": [{"attribute": "sex", "group": "male", "finding": "risks_too_low", "size": 1.5, "p": 0.001}],
    "capacity": {
        "by_contacts": [{"contacts_a_week": 3, "threshold": 0.36, "ppv": number(0.42, 0.37, 0.49),
                         "sensitivity": number(0.2, 0.18, 0.23)}],
        "programme": {"persons": 1000},
    },
    "held_back": number(0.031, 0.02, 0.04),
    "few_events": False,
}  # fmt: skip


class Deployed(InProcess):
    """The service with one model whose bundle lies where a service expects it."""

    card = "<style>p{color:red}</style><p>Kortet</p>"
    bundle: Path
    keys: tuple[Path, Path]

    def seal(self, root: Path, evaluation: dict | None, *, with_card: bool = True) -> None:
        model = linear_model(OUTCOME)
        told = {"importance": IMPORTANCE, "typical_missing": {"known_share": dict.fromkeys(FEATURE_NAMES, 1.0)}}
        save(replace(model, facts={**model.facts, **told}), root / "model")
        self.keys = create_keys(root / "keys")
        self.bundle = export_bundle(root / "model", root / "bundles", OUTCOME, "4", self.keys[0], evaluation)
        if with_card:
            write_card(self.card, self.bundle, self.keys[0])
        self.parts.settings = replace(self.parts.settings, verify_key=self.keys[1])
        self.parts.watch.predictor = Predictor({OUTCOME: self.opened()})

    def opened(self) -> RiskModel:
        return open_bundle(self.bundle, self.keys[1])

    def alter(self, name: str, old: str, new: str) -> None:
        path = self.bundle / name
        self.bundle.chmod(0o755)
        path.chmod(0o644)
        path.write_text(path.read_text().replace(old, new))

    def page(self, path: str, language: str = "nb", role: str = "clinician"):
        headers = self.headers(role) | {"cookie": f"balance_risk_language={language}"}
        return self.call({"method": "GET", "url": path, "headers": headers})[0]

    def text(self, path: str, language: str = "nb") -> str:
        """What a reader sees."""
        found = self.page(path, language)
        assert found.status_code == 200
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.text)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setattr("models.bundle.trial_parse", lambda files: None)  # tried in test_bundle
    monkeypatch.setattr("tests.lib.in_process.InProcess", Deployed)
    with running(tmp_path) as found:
        found.seal(tmp_path, FOUND)
        yield found


def test_the_list_says_what_each_model_predicts_how_well_and_from_what(service):
    text = service.text("/ui/models")
    assert "Rangerer riktig i 71 av 100 par (95 prosent intervall 69–73)" in text
    assert "For hver 100 hendelser modellen ventet, kom det 104 (95 prosent intervall 94–115)" in text
    assert "Ingen sikker forskjell i gjennomsnitt. Intervallet viser hvor stor den kan være." in text
    assert "Andre personer den er prøvd på 1 533 Av dem fikk hendelsen færre enn 10" in text
    assert "simulerte personer" in text


def test_a_model_says_what_it_rests_on_for_whom_it_works_and_what_a_capacity_gives(service):
    text = service.text(ADDRESS)
    assert "Stress og arbeidsmiljø 0,5 (0,4–0,6) Søvn 0,13 (0,1–0,2)" in text
    assert "5 4 10 12 30 25" in text, "the table of the calibration curve"
    assert "Kjønn: Menn 150 (120–190) tallene er for lave" in text
    assert "Modellen passer dårligere for denne gruppen: Kjønn: Menn: tallene er for lave." in text
    assert "Kjønn: Kvinner vises ikke: for få personer" in text
    assert "Kjønn: Ikke kjent vises ikke: en mindre gruppe kunne ellers regnes ut" in text
    assert "3 36 42 (37–49) 20 (18–23)" in text
    assert "Hvor mange den fanger opp, er ikke undersøkt." in text
    assert "holdt tilbake for 3,1 av 100" in text
    assert "Arbeidsgiver. Ingen tall" in text


def test_english_readers_get_english_numbers_and_declarations(service):
    text = service.text(ADDRESS, "en")
    assert "Stress and work environment 0.5 (0.4–0.6)" in text
    assert "Sex: Men 150 (120–190)" in text
    assert "The employer. No score" in text


@pytest.mark.parametrize("language", ["nb", "en"])
def test_pages_are_small_quick_when_warm_and_bring_no_style_or_script_of_their_own(service, language):
    for path in ("/ui/models", ADDRESS):
        service.page(path, language)
        before = time.perf_counter()
        found = service.page(path, language)
        assert time.perf_counter() - before < 0.3
        assert len(found.content) < 150_000
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?! src=)", found.text)
        assert "http://" not in found.text.replace("http://www.w3.org/", "")


def test_drawings_are_made_once_and_again_for_another_model(service, tmp_path, monkeypatch):
    made = []
    draw = figures.vl_convert.vegalite_to_svg
    monkeypatch.setattr(figures.vl_convert, "vegalite_to_svg", lambda spec, **how: made.append(1) or draw(spec, **how))
    service.page(ADDRESS)
    assert (service.page(ADDRESS).text.count("<svg"), len(made)) == (4, 4)
    service.parts.watch.predictor = Predictor({OUTCOME: service.opened()})
    service.page(ADDRESS)
    assert len(made) == 8


def test_every_drawing_has_a_text_and_a_table_that_say_the_same(service):
    text = service.page(ADDRESS).text
    alternatives = re.findall(r'role="img" aria-label="([^"]+)"><svg', text)
    assert len(alternatives) == 4
    assert "fra 150 (Kjønn: Menn) til 150 (Kjønn: Menn)" in alternatives[2]
    assert text.count("<figure>") == text.count("</figure>\n<details>")
    assert not re.search(r"<(svg|g|path|text)\b[^>]* (role|aria-[a-z]+)=", text), (
        "a reader by ear gets the text, not each tick"
    )


def test_an_evaluation_that_was_altered_is_named_and_not_shown_even_after_it_was_shown(service, caplog):
    assert "71 av 100 par" in service.text(ADDRESS)
    service.alter(EVALUATION, "0.71", "0.99")
    text = service.text(ADDRESS)
    assert "Evalueringen er ikke den som ble forseglet" in text
    assert "av 100 par" not in text
    assert "Menn" not in text
    assert "Stress og arbeidsmiljø" in text, "what the model itself says was verified when it was opened"
    assert "evaluation refused" in caplog.text
    assert "av 100 par" not in service.text("/ui/models")


def test_a_bundle_of_before_says_what_is_missing(service, tmp_path):
    service.seal(tmp_path / "before", None, with_card=False)
    service.parts.settings = replace(service.parts.settings, bundles=tmp_path / "before" / "bundles")
    text = service.text(ADDRESS)
    assert "Evalueringen følger ikke med denne versjonen" in text
    assert "Modellkortet følger ikke med denne versjonen" in text
    assert "Hvor godt modellen treffer, følger ikke med" in service.text("/ui/models")
    assert service.page(f"{ADDRESS}/card").status_code == 404


def test_the_card_is_served_as_it_is_and_can_do_nothing(service):
    found = service.page(f"{ADDRESS}/card")
    assert (found.status_code, found.text) == (200, service.card)
    policy = found.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(b"p{color:red}").digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("; sandbox")


def test_a_card_that_was_altered_is_refused(service):
    path = card_path(service.bundle)
    path.write_text(path.read_text().replace("Kortet", "Et annet kort"))
    found = service.page(f"{ADDRESS}/card")
    assert found.status_code == 503
    assert "annet kort" not in found.text
    text = service.text(ADDRESS)
    assert "Modellkortet er ikke det som ble signert" in text


def test_only_clinicians_see_models_here_and_only_those_in_service(service):
    for path in ("/ui/models", ADDRESS, f"{ADDRESS}/card"):
        assert service.page(path, role="employer").status_code == 403
    assert service.page("/ui/models/burnout").status_code == 404
    assert service.page("/ui/models/burnout/card").status_code == 404


def test_without_a_model_the_page_says_so(service):
    service.parts.watch.predictor = None
    assert "Ingen modell er i bruk nå" in service.text("/ui/models")
    assert service.page(ADDRESS).status_code == 404


def test_a_version_that_was_refused_is_named(service, monkeypatch):
    monkeypatch.setattr(service.parts.watch, "refused", lambda: {"burnout": "a reason with paths"})
    text = service.text("/ui/models")
    assert "ble ikke tatt i bruk" in text
    assert "a reason with paths" not in text


def test_days_are_told_as_days():
    found = {"target": "days", "curve": {"rows": [50, 50], "expected": [1.0, 20.0], "observed": [2.0, 18.0]}}
    exhibit = calibration(found, words("nb"))
    assert exhibit.table.rows == (("1", "2", "50"), ("20", "18", "50"))
    assert exhibit.table.columns == ("Ventede dager", "Dager som kom", "Rader (person og dag)")


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_outcome_is_told_in_a_sentence_that_fits_it(language):
    say, told = words(language), {}
    for name, outcome in OUTCOMES.items():
        link = "log" if name == "absence_days" else "logit"
        label = {"nb": outcome.label_nb, "en": outcome.label_en}
        served = SimpleNamespace(model=SimpleNamespace(outcome=name, link=link), label=label, horizon_days=365)
        told[name] = _what(served, say)
    assert len(set(told.values())) == len(OUTCOMES)
    assert "CBI" in told["burnout"]
    assert not [name for name in ("burnout", "absence_days") if say.said(label) in told[name] or "365" in told[name]]


def test_groups_are_drawn_beside_the_line_of_chance_and_that_of_agreement(monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "drawn", lambda spec, say: drawn.append(spec["layer"][0]["data"]) or "")
    told = [one.table.caption for one in subgroups(FOUND, words("nb"))]
    assert drawn == [{"values": [{"at": 100.0}]}, {"values": [{"at": 50.0}]}]
    assert told[0] == "Faktiske hendelser per 100 ventede (95 prosent intervall)"
    (days,) = subgroups({**FOUND, "target": "days", "subgroups": {"attributes": [
        {**FOUND["subgroups"]["attributes"][0], "groups": [{**MEN, "auroc": None}]}]}}, words("nb"))  # fmt: skip
    assert days.table.caption == "Faktiske dager per 100 ventede (95 prosent intervall)"


def test_nothing_is_drawn_of_groups_that_are_all_hidden():
    attribute = {"name": "sex", "label_nb": "Kjønn", "label_en": "Sex", "groups": [FEW, REST]}
    assert subgroups({"subgroups": {"attributes": [attribute]}}, words("nb")) == ()


def test_labels_are_escaped_in_drawings():
    row = figures.Row("<script>alert(1)</script>", 1.0, None, None)
    svg = figures.intervals([row], "x", words("nb"))
    assert "<script" not in svg
    assert "&lt;script" in svg


def test_no_drawing_fetches_anything():
    spec = {"data": {"url": "https://example.org/data.json"}, "mark": "point"}
    with pytest.raises(ValueError, match="External data url not allowed"):
        figures.drawn(spec, words("nb"))
