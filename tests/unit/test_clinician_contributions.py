"""The diagram of contributions: what a reader adds up by eye is the number."""

from __future__ import annotations

import html
import re

import pytest

from serving.clinician.contributions import WIDTH
from serving.clinician.diagnosis_groups import without_groups
from serving.clinician.reasons import is_about_work
from serving.predictor import Predictor
from tests.lib.deployment import REQUEST
from tests.lib.models import boosted_model, linear_model
from tests.lib.pages import HOME, NIGHT, clinicians_pages, text_of

PAGE = f"{HOME}/contributions"
NUMBER = r"[+−]?\d+,\d+"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    with clinicians_pages(tmp_path_factory.mktemp("contributions")) as found:
        found.begin_care()
        yield found


def units(text: str) -> int:
    """A printed number in units of its last digit."""
    return int(re.search(NUMBER, text)[0].replace("−", "-").replace(",", ""))


def rows(page: str) -> list[tuple[str, int]]:
    """Label and printed number of each row of the diagram: base, domains, number."""
    table = page.split('<section class="sheet" aria-labelledby="diagram">')[1].split("</section>")[0]
    found = re.findall(r'<tr><th scope="row">(.*?)</th>.*?<td class="right">(.*?)</td></tr>', table, re.DOTALL)
    return [(html.unescape(label), units(number)) for label, number in found]


@pytest.mark.parametrize("outcome", ["burnout", "long_sick_leave"])
def test_base_and_domains_add_up_to_the_number_and_features_to_their_domain(pages, outcome):
    page = pages.get(f"{PAGE}?outcome={outcome}").text
    (_, base), *domains, (_, number) = rows(page)
    assert len(domains) == 8
    assert base + sum(printed for _, printed in domains) == number
    opened = re.findall(r'<details class="sheet">(.*?)</details>', page, re.DOTALL)
    assert len(opened) == 8
    for (label, printed), one in zip(domains, opened, strict=True):
        summary = html.unescape(re.search(r"<summary>(.*?)</summary>", one)[1])
        features = re.findall(rf'<td class="right">({NUMBER})', one)
        assert summary.startswith(f"{label}: ")
        assert units(summary) == printed == sum(map(units, features))


def test_the_number_is_the_stored_one_with_one_decimal(pages):
    risk = (
        Predictor({"burnout": boosted_model()})
        .predict(REQUEST["record"], NIGHT, ["burnout"], NIGHT)
        .outcomes["burnout"]
    )
    page = pages.get(f"{PAGE}?outcome=burnout")
    shown = f"{100 * risk.risk:.1f}".replace(".", ",")
    assert rows(page.text)[-1][1] == units(shown)
    assert f"ender de på {shown} prosent: {round(100 * risk.risk)} av 100 når det rundes av." in text_of(page)


def test_every_contribution_is_named_once(pages):
    models = {model.outcome: model for model in (linear_model(), boosted_model())}
    explained = Predictor(models).explain(REQUEST["record"], NIGHT, ["burnout"], NIGHT).outcomes["burnout"]
    page = html.unescape(pages.get(f"{PAGE}?outcome=burnout").text)
    named = re.findall(
        r'<tr><th scope="row">([^<]+?)(?: <span class="badge modifiable">[^<]+</span>)?</th><td>[^<]', page
    )
    small = re.findall(r"For lite til å synes i tallet: (.*?)\.</p>", page)
    told = sorted([*named, *(label for one in small for label in one.split("; "))])
    assert told == sorted(one.label["nb"] for one in without_groups(explained).reasons if one.contribution)


def test_each_bar_begins_where_the_one_before_ends_and_raising_ones_come_first(pages):
    page = pages.get(f"{PAGE}?outcome=burnout").text
    bars = [(float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" y="2" width="([\d.]+)"', page)]
    (_, base), *domains, (_, number) = rows(page)
    signs = [printed > 0 for _, printed in domains]
    assert signs == sorted(signs, reverse=True)
    end, highest = base, max(base, number, base + sum(printed for _, printed in domains if printed > 0))
    for (x, width), (_, printed) in zip(bars[1:-1], domains, strict=True):
        start, end = end, end + printed
        assert x == pytest.approx(min(start, end) * WIDTH / highest, abs=0.1)
        assert width == pytest.approx(max(abs(printed) * WIDTH / highest, 1), abs=0.1)
    assert bars[-1] == (0, pytest.approx(number * WIDTH / highest, abs=0.1))


def test_where_points_mean_nothing_the_page_says_so_and_shows_log_odds(pages):
    text = text_of(pages.get(f"{PAGE}?outcome=long_sick_leave"))
    assert "Her kan bidragene ikke deles opp i prosentpoeng eller dager." in text
    assert "i log-odds" in text
    assert "prosentpoeng " not in text.split("Område Diagram")[1]


def test_the_starting_point_is_said_to_be_no_mean(pages):
    text = text_of(pages.get(f"{PAGE}?outcome=burnout"))
    (_, base), *_ = rows(pages.get(f"{PAGE}?outcome=burnout").text)
    shown = f"{base / 10:.1f}".replace(".", ",")
    assert f"Utgangspunktet er {shown} prosent: modellens tall når alle bidrag er null." in text
    assert "Det er ikke gjennomsnittet i referansegruppen, som står i oversikten." in text


def test_what_lowers_the_number_is_something_to_build_on(pages):
    page = pages.get(f"{PAGE}?outcome=burnout").text
    badges = re.findall(r'<span class="badge modifiable">([^<]+)</span></th>.*?<td class="right">([+−])', page)
    assert {("kan arbeides med", "+"), ("kan bygges videre på", "−")} == set(badges)


def test_within_a_domain_the_workplace_comes_first(pages):
    models = {model.outcome: model for model in (linear_model(), boosted_model())}
    explained = Predictor(models).explain(REQUEST["record"], NIGHT, ["burnout"], NIGHT).outcomes["burnout"]
    domain = "stress_and_work_environment"
    of_label = {one.label["nb"]: one.feature for one in explained.reasons if one.group == domain}
    page = html.unescape(pages.get(f"{PAGE}?outcome=burnout").text)
    (opened,) = (one for one in page.split("<details") if "<summary>Stress og arbeidsmiljø" in one)
    named = re.findall(r'<tr><th scope="row">([^<]+?)(?: <span[^>]+>[^<]+</span>)?</th>', opened)
    about_work = [is_about_work(of_label[label]) for label in named]
    assert set(about_work) == {True, False}
    assert about_work == sorted(about_work, reverse=True)
