"""Bad files, whole: encodings, damage, bombs, Parquet, mapping files and databases."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_contracts.errors import BalanceRiskError, MissingInputError, SettingsError, SourceFileError
from tests.lib.bad_inputs import (
    IDENTITY_NUMBER,
    NAME,
    OTHER_PERSON,
    PASSWORD,
    REMARK,
    SOUND,
    SOUND_PERSON,
    BadInput,
    Cells,
    Found,
    as_csv,
    header,
    row_about_another,
    spoilt_file,
    spoilt_lines,
    write_database,
)

SPELLS = "absence_spells"
HERE = f"{SPELLS}.csv"


def _refused(name: str, spoil: Callable[[bytes], bytes], word: str, file: str = HERE) -> BadInput:
    return spoilt_file(name, spoil, SourceFileError, word, file)


def _encodings() -> Iterator[BadInput]:
    for name in ("utf-16-le", "utf-16-be", "utf-32-le"):
        yield _refused(
            f"in {name} without a byte order mark", lambda text, name=name: text.decode().encode(name), "zero bytes"
        )
    yield _refused("in UTF-32", lambda text: text.decode().encode("utf-32"), HERE)
    yield _refused("in EBCDIC", lambda text: text.decode().encode("cp037"), HERE)
    yield _refused("with half a UTF-16 letter", lambda text: text.decode().encode("utf-16") + b"\0", "utf-16")
    yield _refused("with zero bytes", lambda text: text.replace(b"P76", b"P7\0"), "zero bytes")
    yield _refused("in broken UTF-8", lambda text: text.replace(b"Nordmann", b"\xc3\xa5\xff"), "damaged")
    yield _refused(
        "in two encodings", lambda text: text.replace(b"Nordmann", "Ås".encode() + "Ås".encode("latin-1")), "damaged"
    )
    yield _refused("in no encoding", lambda text: text.replace(b"Nordmann", b"\x81\x8d"), "windows-1252")
    yield _refused("as binary", lambda text: bytes(range(256)) * 40, "zero bytes")
    yield _refused("as a picture", lambda text: b"\x89PNG\r\n\x1a\n" + bytes(64), "zero bytes")


def _damage() -> Iterator[BadInput]:
    yield _refused("empty", lambda text: b"", "empty")
    yield _refused("of a byte order mark only", lambda text: codecs.BOM_UTF8, "empty")
    yield _refused("of blank lines", lambda text: b"\n\n\n", "empty")
    yield _refused("with a blank line before the header", lambda text: b"\n" + text, "empty")
    yield _refused("with other names in the header", lambda text: b"a,b,c\r\n1,2,3\r\n", "none of the columns")
    yield _refused("without a header", lambda text: text.split(b"\r\n", 1)[1], "none of the columns")
    yield _refused("with a title above the header", lambda text: f"{NAME}\r\n".encode() + text, "none of the columns")
    yield _refused("with a column less", lambda text: text.replace(b"first_day", b"fristday", 1), "first_day")
    yield _refused("with names in capitals", lambda text: text.replace(b"kind", b"KIND", 1), "kind")
    yield _refused("with a column twice", lambda text: text.replace(b"spell_id,", b"kind,", 1), "more than once")
    yield _refused("cut in the middle of a row", lambda text: text[: text.rindex(b",2025")], "fields")
    yield _refused("with an open quote", lambda text: text.replace(b"P76", b'"P76'), "quote")
    yield _refused("with an open quote over rows", _with_quoted_rows, "quote")
    yield _refused("with a field too many", lambda text: text + b"x" * 3 + b"," * 12 + b"\r\n", "fields")
    yield _refused("separated by bars", lambda text: text.replace(b",", b"|"), HERE)
    yield _refused("that is an HTML page", lambda text: b"<!DOCTYPE html>\n<html><body>404</body></html>\n", HERE)
    yield _refused("that is JSON", lambda text: b'[{"person_id": "x"}]\n', HERE)
    yield _refused("with an identity number in the header", _with_column(IDENTITY_NUMBER), "identity number")
    for cut in (b"2025-03-0", b"2025-03"):
        row = Found(HERE, 2, "known_from", "type")
        yield spoilt_lines(f"cut within {cut.decode()}", lambda text, cut=cut: _cut_row(text, cut), row, gone=(SPELLS,))


def _with_quoted_rows(text: bytes) -> bytes:
    row = text.split(b"\r\n")[1]
    return text + row.replace(b"P76", b'"P76') + b"\r\n" + row.replace(b"P76", b'P76"') + b"\r\n"


def _with_column(name: str) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(REMARK.encode(), name.encode(), 1)


def _cut_row(text: bytes, last: bytes) -> bytes:
    """Two columns only behind known_from, so that the cut file still has as many fields as its header."""
    names = header(SPELLS)[:-2]
    rows = as_csv(SPELLS, SOUND[SPELLS]).decode().split("\r\n")
    cells = rows[1].split(",")[: len(names) - 1]
    return ",".join(names).encode() + b"\r\n" + ",".join(cells).encode() + b"," + last


def _sizes() -> Iterator[BadInput]:
    yield _refused("with a field of 10 MB", lambda text: text.replace(b"P76", b"P" * 10_000_000), "1 MB")
    yield _refused("with a header of 1 MB", lambda text: b"x" * 1_200_000 + text, HERE)
    yield _refused("with 100 000 columns", _with_many_columns, "none of the columns")
    yield _refused("with 100 000 columns more", _with_more_columns, "columns")
    yield _refused("with 1 000 000 delimiters in a row", lambda text: text + b"," * 1_000_000 + b"\r\n", HERE)
    yield _refused("with 1 000 000 delimiters in the header", lambda text: b"," * 1_000_000 + b"\r\n" + text, HERE)
    yield _refused("of one line of 10 MB", lambda text: b"x" * 10_000_000, HERE)


def _with_many_columns(text: bytes) -> bytes:
    names = ",".join(f"c{place}" for place in range(100_000))
    return f"{names}\r\n{',' * 99_999}\r\n".encode()


def _with_more_columns(text: bytes) -> bytes:
    names = "".join(f",c{place}" for place in range(100_000)).encode()
    first, rest = text.split(b"\r\n", 1)
    return first + names + b"\r\n" + rest.replace(b"\r\n", b"," * 100_000 + b"\r\n")


def _packed() -> Iterator[BadInput]:
    yield _refused("that is gzip", gzip.compress, "gzip")
    yield _refused("that is a ZIP archive", _zipped, "ZIP")
    yield _refused("that is a ZIP bomb", lambda text: _zipped(bytes(50_000_000)), "ZIP")
    yield _refused("that is a gzip bomb", lambda text: gzip.compress(bytes(50_000_000), 1), "gzip")
    for suffix in (".zip", ".gz", ".xlsx"):
        yield BadInput(f"file under the name {suffix}", lambda directory, suffix=suffix: _rename(directory, suffix),
                       refused=SourceFileError, word="packed")  # fmt: skip
    yield _refused("of two kinds", _parquet_of([]), "two files", f"{SPELLS}.parquet")
    yield BadInput(
        "file missing", lambda directory: _remove(directory, "consents"), refused=SourceFileError, word="consents"
    )
    yield BadInput("file that is a directory", _directory_for_file, refused=SourceFileError, word="persons is missing")
    yield BadInput(
        "source missing", lambda directory: str(directory / "nowhere"), refused=MissingInputError, word="nowhere"
    )
    yield BadInput("source in a directory named by an identity number", _named_directory, refused=BalanceRiskError,
                   word="identity number")  # fmt: skip
    yield BadInput("source without files", _empty_directory, refused=SourceFileError, word="persons is missing")
    stamp = "not the stamp"
    yield _refused("source.json that is a list", lambda text: b"[1]", stamp, "source.json")
    yield _refused("source.json nested deep", lambda text: b"[" * 100_000, stamp, "source.json")
    yield _refused("source.json cut off", lambda text: b'{"synthetic": tr', stamp, "source.json")
    yield BadInput(
        "file whose name a spreadsheet would run",
        _named_by_formula,
        (Found("'=1+1.csv", 2, "kind", "codes"),),
        gone=(SPELLS,),
    )
    name = f"{IDENTITY_NUMBER}.csv"
    yield _mapped("to a file named by an identity number", f"source: {name}", "identity number", file=name)


def _zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(HERE, content)
    return packed.getvalue()


def _rename(directory: Path, suffix: str) -> None:
    path = directory / HERE
    path.rename(path.with_name(path.name + suffix))


def _remove(directory: Path, table: str) -> None:
    (directory / f"{table}.csv").unlink()


def _directory_for_file(directory: Path) -> None:
    _remove(directory, "persons")
    (directory / "persons.csv").mkdir()


def _named_by_formula(directory: Path) -> None:
    text = (directory / HERE).read_bytes().replace(b"doctor_certified", b"=1+1")
    (directory / "=1+1.csv").write_bytes(text)
    (directory / "mapping.yaml").write_text(f"tables: {{{SPELLS}: {{source: =1+1.csv}}}}")


def _named_directory(directory: Path) -> str:
    named = directory / IDENTITY_NUMBER
    shutil.copytree(directory, named)
    return str(named)


def _empty_directory(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


# Parquet


def _parquet_of(rows: list[Cells], **columns: pa.Array) -> Callable[[bytes], bytes]:
    def write(_: bytes) -> bytes:
        texts = {name: [row.get(name) or None for row in rows] for name in header(SPELLS)}
        table = pa.table({name: pa.array(cells, pa.string()) for name, cells in texts.items()} | columns)
        file = io.BytesIO()
        pq.write_table(table, file)
        return file.getvalue()

    return write


def _parquet() -> Iterator[BadInput]:
    sound = _parquet_of([*SOUND[SPELLS], row_about_another(SPELLS)])
    spoilt: dict[str, tuple[Callable[[bytes], bytes], str]] = {
        "cut off": (lambda _: sound(b"")[:-100], "not a readable"),
        "cut to half": (lambda _: sound(b"")[: len(sound(b"")) // 2], "not a readable"),
        "of its magic only": (lambda _: b"PAR1", "not a readable"),
        "empty": (lambda _: b"", "not a readable"),
        "with a length that lies": (lambda _: sound(b"")[:-8] + b"\xff\xff\xff\x7fPAR1", "not a readable"),
        "that is CSV": (lambda _: as_csv(SPELLS, SOUND[SPELLS]), "not a readable"),
        "with pages overwritten": (lambda _: sound(b"")[:4] + b"\xff" * 400 + sound(b"")[404:], "not a readable"),
        "with lists": (_parquet_of(SOUND[SPELLS], kind=pa.array([["x"]])), "type"),
        "with structures": (_parquet_of(SOUND[SPELLS], kind=pa.array([{"x": NAME}])), "type"),
        "with bytes": (_parquet_of(SOUND[SPELLS], kind=pa.array([b"\xff\xfe"])), "type"),
    }
    for name, (spoil, word) in spoilt.items():
        yield BadInput(f"Parquet {name}", _parquet_instead(spoil), refused=SourceFileError, word=word)
    cells = {
        "a number for a date": ("first_day", pa.array([1.5]), "type"),
        "not a number": ("grade_percent", pa.array([float("nan")]), "type"),
        "an infinite number": ("grade_percent", pa.array([float("inf")]), "type"),
        "a day in the far future": ("last_day", pa.array([3_000_000], pa.date32()), "type"),
        "an identity number as a number": ("spell_id", pa.array([int(IDENTITY_NUMBER)]), "national identity number"),
        "a moment out of range": ("first_day", pa.array([2**60], pa.timestamp("ms")), "type"),
    }
    for name, (column, array, rule) in cells.items():
        content = _parquet_of(SOUND[SPELLS], **{column: array})
        found = Found(f"{SPELLS}.parquet", 1, column, rule)
        yield BadInput(f"Parquet with {name}", _parquet_instead(content), (found,), gone=(SPELLS,))


def _parquet_instead(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def plant(directory: Path) -> None:
        _remove(directory, SPELLS)
        (directory / f"{SPELLS}.parquet").write_bytes(content(b""))

    return plant


# Mapping files


def _mapping(name: str, text: str, word: str, refused: type[BalanceRiskError] = SettingsError) -> BadInput:
    def plant(directory: Path) -> None:
        (directory / "mapping.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))

    return BadInput(f"mapping {name}", plant, refused=refused, word=word)


def _mapped(
    name: str, line: str, word: str, refused: type[BalanceRiskError] = BalanceRiskError, file: str | None = None
) -> BadInput:
    """A mapping of absence_spells of one line; the file is a sound one, so that only its place is wrong."""
    text = f"tables:\n  {SPELLS}:\n    {line}\n"

    def plant(directory: Path) -> None:
        (directory / "mapping.yaml").write_text(text)
        outside = directory.parent / "outside.csv"
        outside.write_bytes((directory / HERE).read_bytes())
        (directory / "link.csv").symlink_to(outside)
        (directory / "folder").symlink_to(directory.parent)
        if file:
            (directory / file).write_bytes((directory / HERE).read_bytes())

    return BadInput(f"mapping {name}", plant, refused=refused, word=word)


def _traversals() -> Iterator[BadInput]:
    inside, missing = "inside the source directory", "no such file"
    for path in ("../outside.csv", "./x/../../outside.csv", "/etc/passwd", "..\\outside.csv", "C:\\x.csv", "\\\\host\\x.csv",
                 "link.csv", "folder/outside.csv", "..", "D:x.csv"):  # fmt: skip
        yield _mapped(f"to {path}", f"source: '{path}'", inside, SettingsError)
    yield _mapped("to a zero byte", 'source: "x\\0.csv"', inside, SettingsError)
    for path in ("file:///etc/passwd", "https://example.test/x.csv", "sqlite:///x.db", "~/x.csv", "%2e%2e/outside.csv",
                 "$HOME/x.csv", "|reboot", "*.csv", "."):  # fmt: skip
        yield _mapped(f"to {path}", f"source: '{path}'", missing, SourceFileError)
    yield _mapped("to a name of 5000 letters", f"source: {'x' * 5000}.csv", "", BalanceRiskError)


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{one}: &{one} [{','.join(['*' + other] * 9)}]\n" for other, one in zip("abcdefgh", "bcdefghi", strict=True)
)


def _yaml() -> Iterator[BadInput]:
    yield _mapping("that laughs a billion times", LAUGHS, "aliases")
    yield _mapping("with a merge key", "x: &x {source: y}\ntables: {persons: {<<: *x}}", "aliases")
    for tag in ("!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!secret x", "!!binary aGVp"):
        yield _mapping(f"with the tag {tag}", f"tables: {tag}", "tags")
    yield _mapping("nested deep", "tables: " + "[" * 5000, "")
    yield _mapping("nested deep and closed", "tables: " + "[" * 5000 + "]" * 5000, "")
    yield _mapping("nested in braces", "tables: " + "{a: " * 5000 + "}" * 5000, "")
    yield _mapping("of 300 kB", "# " + "x" * 300_000, "too large")
    yield _mapping("that is not YAML", "tables: [", "line")
    yield _mapping("with a tab", "tables:\n\tpersons: {}", "line")
    yield _mapping("of two documents", "pseudonymise: false\n---\npseudonymise: true\n", "")
    yield _mapping("in latin-1", "tables: {persons: {columns: {person_id: L\udcf8nn}}}", "UTF-8")
    yield _mapping("with zero bytes", "tables: \0", "YAML")
    yield _mapping("that says a thing twice", "pseudonymise: false\npseudonymise: true\n", "twice")
    yield _mapping("with a list for a name", "? [a, b]\n: c\n", "name")
    yield _mapping("that is a list", "- tables", "")
    yield _mapping("that is a word", "tables", "")
    yield _mapping("with an unknown key", "tabels: {}", "tables")
    yield _mapping("with an unknown table", "tables: {absences: {}}", "absence")
    yield _mapping("with an unknown column", f"tables: {{{SPELLS}: {{columns: {{first: x}}}}}}", "first")
    yield _mapping("with another delimiter", "format: {delimiter: '|'}", "delimiter")
    yield _mapping("with another encoding", "format: {encoding: rot13}", "encoding")
    yield _mapping("with an empty source", f"tables: {{{SPELLS}: {{source: ''}}}}", "source")
    yield _mapping("that asks for pseudonyms without a key", "pseudonymise: true", "PSEUDONYM_KEYS")
    yield _mapping("that asks for pseudonyms with a word", "pseudonymise: perhaps", "pseudonymise")


def _mapping_rules() -> Iterator[BadInput]:
    one = f"tables: {{{SPELLS}: {{%s}}}}"
    yield _mapping(
        "of a constant beside a column", one % "constants: {kind: doctor_certified}, columns: {kind: k}", "Keep one"
    )
    yield _mapping("of a constant out of bounds", one % 'constants: {grade_percent: "101"}', "at most 100")
    yield _mapping("of a code to no code", one % "values: {kind: {E: self}}", "self_certified")
    yield _mapping("with an assumption that is code", one % "known_from: __import__('os')", "not understood")
    yield _mapping("with an assumption without a column", one % "known_from: third_day + 4 days", "not understood")
    yield _mapping("of answers elsewhere", one % "answers: {Q1: who5.item_1}", "survey_answers")
    answers = "tables: {survey_answers: {answers: {Q1: %s}}}"
    yield _mapping("of an unknown instrument", answers % "who6.item_1", "instrument")
    yield _mapping("of an unknown item", answers % "who5.item_6", "item")
    yield _mapping("of a column that is not there", one % "columns: {kind: Type}", "Type", SourceFileError)
    word = "identity number"
    yield _mapping("with an identity number as constant", one % f"constants: {{spell_id: '{IDENTITY_NUMBER}'}}", word)
    yield _mapping("with an identity number as code", one % f"values: {{kind: {{'{IDENTITY_NUMBER}': x}}}}", word)
    yield _mapping("with an identity number as name", one % f"columns: {{kind: '{IDENTITY_NUMBER}'}}", word)
    yield _mapping("with an identity number as key", f"'{IDENTITY_NUMBER}': x", word)
    yield _mapping("with an identity number twice", f"'{IDENTITY_NUMBER}': x\n'{IDENTITY_NUMBER}': x\n", word)
    yield _wide("answer (Q1)", "unknown answer code", "7;")
    yield _wide("answer (Q2)", "type", ";aldri")


def _wide(column: str, rule: str, bad: str) -> BadInput:
    """A questionnaire with one column per question; the sound respondent answers the first only."""
    lines = ["Id;Dato;Q1;Q2", f"{SOUND_PERSON};01.05.2025;3;", f"{OTHER_PERSON};01.05.2025;{bad}"]
    mapping = (
        "tables:\n  survey_answers:\n    source: skjema.csv\n    columns: {person_id: Id, answered_on: Dato}\n"
        "    known_from: answered_on + 0 days\n    answers: {Q1: who5.item_1, Q2: who5.item_2}\n"
    )

    def plant(directory: Path) -> None:
        _remove(directory, "survey_answers")
        (directory / "skjema.csv").write_text("\n".join(lines))
        (directory / "mapping.yaml").write_text(mapping)

    return BadInput(f"wide questionnaire {column} {rule}", plant, (Found("skjema.csv", 3, column, rule),))


# Databases


def _database(
    name: str, *statements: str, word: str, mapping: str = "", refused: type[BalanceRiskError] = SourceFileError
) -> BadInput:
    def plant(directory: Path) -> str:
        if mapping:
            (directory / "mapping.yaml").write_text(mapping)
        return write_database(directory, statements)

    return BadInput(f"database {name}", plant, refused=refused, word=word)


def _databases() -> Iterator[BadInput]:
    yield _database("without a table", "DROP TABLE persons", word="persons is missing")
    yield _database("without a column", f"ALTER TABLE {SPELLS} DROP COLUMN kind", word="kind")
    yield _database("with bytes", f"UPDATE {SPELLS} SET kind = x'ff00'", word="type")
    yield _database(
        "with a view that fails", f"DROP TABLE {SPELLS}", f"CREATE VIEW {SPELLS} AS SELECT * FROM gone", word=""
    )
    for what, text in {"a table": "rolls", "SQL": "persons; DROP TABLE persons", "a quote": 'persons" --'}.items():
        mapping = f"tables: {{persons: {{source: '{text}'}}}}"
        yield _mapped_database(f"mapped to {what} that is not there", mapping, "has no table")
    for url, word, error in BAD_URLS:
        yield BadInput(f"database URL {url}", lambda directory, url=url: url, refused=error, word=word)
    yield BadInput("database that is none", _no_database, refused=SourceFileError, word="cannot be read")
    yield BadInput("database cut off", _cut_database, refused=SourceFileError, word="cannot be read")
    rows = {
        "an empty required cell": ("kind", "NULL", "required"),
        "a code of its own": ("kind", "'E'", "codes"),
        "an infinite number": ("grade_percent", "9e999", "type"),
        "a number out of bounds": ("grade_percent", "0", "bounds"),
        "a decimal comma": ("grade_percent", "'12,5'", "decimal comma"),
        "an identity number as a number": ("spell_id", IDENTITY_NUMBER, "national identity number"),
        "a day number for a date": ("last_day", "20148", "type"),
        "a zero byte": ("spell_id", "'s' || char(0)", "pattern"),
    }
    for name, (column, value, rule) in rows.items():
        yield BadInput(f"database with {name}", _with_bad_spell(column, value), (Found(SPELLS, 2, column, rule),))


BAD_URLS: list[tuple[str, str, type[BalanceRiskError]]] = [
    (f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:1/x", "cannot be read", SourceFileError),
    (f"postgresql+psycopg://user:{PASSWORD}@host@127.0.0.1/x", "%40", SettingsError),
    (f"postgresql+psycopg://user@127.0.0.1:1/x?password={PASSWORD}", "cannot be read", SourceFileError),
    (f"nosuch://user:{PASSWORD}@host/x", "not understood", SettingsError),
    (f"postgresql://user:{PASSWORD}@host:port/x", "not understood", SettingsError),
    ("sqlite:////nowhere/at/all.db", "no such database file", MissingInputError),
    ("sqlite://", "no such database file", MissingInputError),
    ("file:///etc/passwd", "not understood", SettingsError),
    ("https://example.test/persons.csv", "not understood", SettingsError),
]


def _mapped_database(name: str, mapping: str, word: str) -> BadInput:
    def plant(directory: Path) -> str:
        (directory / "mapping.yaml").write_text(mapping)
        return write_database(directory)

    return BadInput(f"database {name}", plant, refused=SourceFileError, word=word)


def _no_database(directory: Path) -> str:
    path = directory / "source.db"
    path.write_bytes(NAME.encode() * 500)
    return f"sqlite:///{path}"


def _cut_database(directory: Path) -> str:
    url = write_database(directory)
    os.truncate(directory / "source.db", 5000)
    return url


def _with_bad_spell(column: str, value: str) -> Callable[[Path], str]:
    """A row of the other person; it is the second, since rows come in the order of their key."""
    names = header(SPELLS)
    cells = row_about_another(SPELLS) | {REMARK: NAME}
    values = [value if name == column else f"'{cells[name]}'" if cells.get(name) else "NULL" for name in names]
    return lambda directory: write_database(directory, (f"INSERT INTO {SPELLS} VALUES ({', '.join(values)})",))


def cases() -> list[BadInput]:
    parts = (
        _encodings(),
        _damage(),
        _sizes(),
        _packed(),
        _parquet(),
        _traversals(),
        _yaml(),
        _mapping_rules(),
        _databases(),
    )
    return [case for part in parts for case in part]
