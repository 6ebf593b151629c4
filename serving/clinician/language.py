"""The words of the pages: Norwegian bokmål in the code and the templates, English from the catalogue."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from serving.call import Language
from serving.responses import Texts

CATALOGUES = Path(__file__).parent / "locale"
LOCALES: Mapping[Language, str] = {"nb": "nb_NO", "en": "en_GB"}
NORWAY = ZoneInfo("Europe/Oslo")


@cache
def translations(language: Language) -> NullTranslations:
    """Return what translates; Norwegian is the language of the code, so there is nothing to look up."""
    if language == "nb":
        return NullTranslations()
    compiled = io.BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@lru_cache(maxsize=4096)
def _decimal(value: float, pattern: str, locale: str) -> str:
    """As Babel says it, which takes its time: a list says the same few numbers again and again."""
    return str(format_decimal(value, pattern, locale=locale)).replace("-", "−")


class Words:
    """How one language says texts, numbers and days.

    Parameters
    ----------
    language : {"nb", "en"}
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.locale = LOCALES[language]
        self._translations = translations(language)

    def __call__(self, text: str, **values: object) -> str:
        """Return a text of the catalogue, ``%(name)s`` filled in."""
        found = self._translations.ugettext(text)
        return found % values if values else found

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """Return the text for so many; ``%(n)s`` is the number."""
        return self._translations.ungettext(one, many, n) % {"n": self.number(n), **values}

    def said(self, texts: Texts | Mapping[str, str]) -> str:
        """Return what a declaration says in this language."""
        return texts[self.language] if isinstance(texts, Mapping) else str(getattr(texts, self.language))

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with so many digits at most after the decimal sign."""
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        rounded = round(value, digits) + 0.0  # no "−0"
        return _decimal(rounded, pattern, self.locale)

    def day(self, day: date | str) -> str:
        """Return a day as people write it: 01.03.2026, 1 Mar 2026."""
        found = date.fromisoformat(day) if isinstance(day, str) else day
        return str(format_date(found, "dd.MM.yyyy" if self.language == "nb" else "d MMM yyyy", locale=self.locale))

    def moment(self, at: datetime) -> str:
        """Return a moment by the clock of Norway."""
        pattern = "dd.MM.yyyy 'kl.' HH:mm" if self.language == "nb" else "d MMM yyyy HH:mm"
        return str(format_datetime(at, pattern, tzinfo=NORWAY, locale=self.locale))


@cache
def words(language: Language) -> Words:
    """Return the words of a language, made once."""
    return Words(language)
