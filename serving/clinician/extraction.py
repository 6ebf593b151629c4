"""Collects the texts of pages into the English catalogue: ``python -m serving.clinician.extraction`` (make messages).

What is new stands there without a translation, what is gone goes. ``--check`` changes nothing and says what is lacking.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from serving.clinician.language import CATALOGUES
from serving.clinician.rendering import TEMPLATES

HOME = Path(__file__).parent
LANGUAGE = "en"
CATALOGUE = CATALOGUES / f"{LANGUAGE}.po"
KEYWORDS = {"_": None, "N_": None, "say": None, "plural": (1, 2)}
JINJA = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def extracted() -> Catalog:
    """Return every text that a template or a module says, with where it stands."""
    found = Catalog(locale=LANGUAGE, fuzzy=False)
    for path in sorted(TEMPLATES.glob("*.html")):
        _add(found, "jinja2.ext:babel_extract", path)
    for path in sorted(HOME.glob("*.py")):
        _add(found, "python", path)
    return found


def _add(catalogue: Catalog, method: str, path: Path) -> None:
    options = JINJA if "jinja2" in method else {}
    for line, message, _, context in extract_from_file(method, path, KEYWORDS, (), options):
        catalogue.add(message, None, [(path.relative_to(HOME).as_posix(), line)], context=context)


def updated(before: Catalog) -> Catalog:
    """Return the texts as they are now, with the translations that are there already."""
    now = extracted()
    for message in now:
        known = before.get(message.id) if message.id else None
        if known is not None and isinstance(known.id, type(message.id)):
            message.string = known.string
    return now


def stored() -> Catalog:
    """Return the catalogue as it is kept."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def written(catalogue: Catalog) -> bytes:
    """Return the file: sorted, without line numbers and dates, so that it changes only where a text does."""
    body = io.BytesIO()
    write_po(body, catalogue, width=0, sort_output=True, include_lineno=False, omit_header=True)
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: en\\n"\n'
    return f'{head}"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'.encode() + body.getvalue()


def faults(catalogue: Catalog) -> Iterator[str]:
    """Yield what is wrong with the translations."""
    for message in catalogue:
        if message.id:
            yield from _faults_of(message)


def _faults_of(message: Message) -> Iterator[str]:
    said = message.id if isinstance(message.id, tuple | list) else (message.id,)
    translated = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if message.fuzzy or len(said) != len(translated) or not all(translated):
        yield f"not translated: {said[0]}"
    elif any(_named(one) != _named(other) for one, other in zip(said, translated, strict=True)):
        yield f"other values in the translation: {said[0]}"


def _named(text: str | None) -> set[str]:
    return set(PLACEHOLDER.findall(text or ""))


def main(arguments: list[str]) -> int:
    """Write the catalogue, or check it; the exit code says whether all is translated."""
    catalogue = updated(stored())
    found = list(faults(catalogue))
    if "--check" not in arguments:
        CATALOGUE.write_bytes(written(catalogue))
    elif CATALOGUE.read_bytes() != written(catalogue):
        found.append("the catalogue is not of these texts; run: make messages")
    sys.stderr.write("".join(f"{one}\n" for one in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
