"""Every text of the pages is in the catalogue, translated, and in words that we use; no template says one past it."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment

from data_contracts.instruments import INSTRUMENTS
from features.catalogue import FEATURES
from models import wording
from serving.clinician import extraction
from serving.clinician.extraction import CATALOGUE, PLACEHOLDER, extracted, faults, stored, updated, written
from serving.clinician.rendering import TEMPLATES
from tests.lib.words import word_list, words_found

NOT_TRANSLATED = {"Balance@Work", "English", "Norsk"}
SAID = ("aria-label", "title", "alt", "placeholder")


def texts(catalogue, language: str) -> list[str]:
    found = []
    for message in catalogue:
        said = message.id if language == "nb" else message.string
        found += [said] if isinstance(said, str) else list(said)
    return [text for text in found if text]


def test_the_catalogue_is_whole_and_of_these_texts():
    assert list(faults(stored())) == []
    assert CATALOGUE.read_bytes() == written(updated(stored())), "run: make messages"
    assert len(texts(stored(), "nb")) > 300


def catalogue_of(entries: str):
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: en\\n"\n\n'
    return read_po(io.BytesIO((head + entries).encode()), locale="en")


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ('msgid "Lukk"\nmsgstr ""\n', "not translated: Lukk"),
        ('#, fuzzy\nmsgid "Lukk"\nmsgstr "Close"\n', "not translated: Lukk"),
        ('msgid "%(n)s av 100"\nmsgstr "%(m)s of 100"\n', "other values in the translation: %(n)s av 100"),
        ('msgid "%(n)s dag"\nmsgid_plural "%(n)s dager"\nmsgstr[0] "%(n)s day"\nmsgstr[1] ""\n',
         "not translated: %(n)s dag"),
    ],
)  # fmt: skip
def test_a_translation_that_lacks_something_is_found(entries, fault):
    assert list(faults(catalogue_of(entries))) == [fault]


def test_a_text_that_nobody_says_goes_and_a_new_one_stands_there_untranslated():
    now = updated(catalogue_of('msgid "Ingen sier dette"\nmsgstr "Nobody says this"\n\nmsgid "Lukk"\nmsgstr "Close"\n'))
    assert now.get("Ingen sier dette") is None
    assert now.get("Lukk").string == "Close"
    assert "not translated: Logg ut" in list(faults(now))


def test_the_check_fails_and_writes_nothing_where_the_catalogue_is_old(tmp_path, monkeypatch, capsys):
    old = tmp_path / "en.po"
    old.write_bytes(written(catalogue_of('msgid "Lukk"\nmsgstr "Close"\n')))
    before = old.read_bytes()
    monkeypatch.setattr(extraction, "CATALOGUE", old)
    assert extraction.main(["--check"]) == 1
    assert "make messages" in capsys.readouterr().err
    assert old.read_bytes() == before


def test_no_percent_sign_stands_before_a_letter_but_in_a_placeholder():
    for text in [*texts(extracted(), "nb"), *texts(stored(), "en")]:
        assert not re.search(r"%\w", PLACEHOLDER.sub("", text)), text
        assert "%(" not in PLACEHOLDER.sub("", text), text


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["nb", "en"])
def test_no_text_has_a_word_of_the_list(language):
    assert [one for text in texts(stored(), language) for one in words_found(text, language)] == []


@pytest.mark.parametrize("language", ["nb", "en"])
def test_no_label_and_no_wording_has_a_word_of_the_list(language):
    said = [getattr(one, f"label_{language}") for one in FEATURES]
    said += [getattr(scale, f"label_{language}") for one in INSTRUMENTS.values() for scale in one.scales]
    said += [getattr(band, f"label_{language}") for band in wording.RISK_BANDS]
    for value in vars(wording).values():
        said += list(spoken(value, language))
    assert len(said) > 400
    assert [one for text in said for one in words_found(text, language)] == []


def spoken(value, language):
    """Every text of a language in a declaration of texts, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get(language), str):
            yield value[language]
        for inner in value.values():
            yield from spoken(inner, language)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from spoken(inner, language)


@pytest.mark.parametrize(
    ("text", "language", "n"),
    [
        ("Du er i faresonen", "nb", 1),
        ("Depresjon som skyldes arbeidet", "nb", 2),
        ("It is caused by work", "en", 1),
        ("a high-risk person", "en", 1),
        ("Generalised Anxiety Disorder-7", "en", 0),
        ("et tall er en grunn til en samtale, ikke en diagnose", "nb", 0),
    ],
)
def test_a_word_of_the_list_is_found_whole_and_names_of_questionnaires_are_left_alone(text, language, n):
    assert len(words_found(text, language)) == n


def test_every_word_has_a_reason():
    assert {one.language for one in word_list()} == {"nb", "en"}
    assert all(one.reason for one in word_list())


# --- templates -------------------------------------------------------------------------------------------------------


class Texts(HTMLParser):
    """What a page says of itself: between tags, and in attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value.strip() for name, value in attrs if name in SAID and value]


def literal_texts(source: str) -> list[str]:
    """Words that a template says without asking the catalogue."""
    kept = (value for _, kind, value in Environment(autoescape=True).lex(source) if kind == "data")
    parser = Texts()
    parser.feed("".join(kept))
    return [
        text for text in parser.found if re.search(r"[^\W\d_]{2,}", text) and text.strip("· ") not in NOT_TRANSLATED
    ]


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_says_a_text_past_the_catalogue(path):
    assert literal_texts(path.read_text()) == []


def test_a_text_past_the_catalogue_is_found():
    assert literal_texts('<p>Hei {{ _("du") }}</p>') == ["Hei"]
    assert literal_texts('<svg aria-label="Et diagram">{{ x }}</svg>') == ["Et diagram"]
    assert literal_texts("{# Hei #}<p{% if x %} class=y{% endif %}>{{ _('Hei') }}</p>") == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_has_a_style_or_a_script_that_the_policy_would_refuse(path):
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?! src=)|javascript:", path.read_text())
