"""Tables and views of a database come in as files do, on SQLite and PostgreSQL, without changing it or showing a password."""

from __future__ import annotations

import sqlite3
import traceback
from datetime import date

import pytest
import sqlalchemy as sa

from data_contracts.errors import BalanceRiskError, MissingInputError, SettingsError, SourceFileError
from data_contracts.readers import sql
from data_contracts.readers.column_mapping import Mapping
from data_contracts.readers.sources import open_source
from data_contracts.records import AbsenceSpell, Consent, Employment, Person
from data_contracts.validation import check
from tests.lib.postgresql import postgresql_url

SPELLS = '''
create table "Fravær" ("Ansatt Nr" text, "select" text, type text, prosent numeric(5, 2), fra {date}, til {date},
                       registrert {moment}, slettet {flag}, merknad text);
insert into "Fravær" values
  ('p2', 's2', 'S', 50.00, '2025-03-01', null, '2025-03-02 22:30:00{zone}', {false}, '01010750160'),
  ('p1', 's1', 'E', 100, '2025-03-01', '2025-03-02', '2025-03-01 23:30:00{zone}', {true}, null);
create view "min ""utsikt""" as select * from "Fravær";
create table persons (person_id text, birth_year integer, sex text, education_level text, known_from {date}, is_deleted {flag});
insert into persons values ('p1', 1980, 'female', null, '2025-01-01', {false});
'''
SQLITE = {"date": "text", "moment": "text", "flag": "boolean", "zone": "Z", "true": "1", "false": "0"}
POSTGRESQL = {
    "date": "date",
    "moment": "timestamptz",
    "flag": "boolean",
    "zone": "+00",
    "true": "true",
    "false": "false",
}
MAPPING = {
    "columns": {"person_id": "Ansatt Nr", "spell_id": "select", "kind": "type", "grade_percent": "prosent",
                "first_day": "fra", "last_day": "til", "known_from": "registrert", "is_deleted": "slettet"},
    "values": {"kind": {"E": "self_certified", "S": "doctor_certified"}},
}  # fmt: skip


def mapping(source="Fravær", **more):
    return Mapping.model_validate({"tables": {"absence_spells": MAPPING | {"source": source} | more}})


@pytest.fixture
def sqlite(tmp_path):
    path = tmp_path / "hr.db"
    connection = sqlite3.connect(path)
    connection.executescript(SPELLS.format(**SQLITE))
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def postgresql():
    with postgresql_url() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(SPELLS.format(**POSTGRESQL))
            connection.exec_driver_sql("create schema hr; create table hr.consents as select * from persons")
            connection.exec_driver_sql("create table employments as select now() - now() as person_id")
            connection.exec_driver_sql("create table many as select 'p' || mod(i, 1000) as person_id, 1980 as birth_year, "
                                       "'female' as sex, date '2025-01-01' + mod(i, 7) as known_from "
                                       "from generate_series(1, 120000) as i")  # fmt: skip
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("source", ["Fravær", 'min "utsikt"'])
def test_tables_and_views_are_read_under_any_name_and_type(source, url):
    found = open_source(url, mapping(source)).read(AbsenceSpell)
    checked = check(AbsenceSpell, found.raw, received_on=date(2026, 1, 1), origin=found.origin)
    assert checked.violations == []
    table = {name: values.texts() if hasattr(values, "texts") else values.tolist()
             for name, values in checked.table.items()}  # fmt: skip
    assert table["person_id"] == ["p1", "p2"], "in the order of the natural key, whatever the database's is"
    assert table["spell_id"] == ["s1", "s2"]
    assert table["kind"] == ["self_certified", "doctor_certified"]
    assert table["grade_percent"] == [100.0, 50.0]
    assert table["first_day"] == [date(2025, 3, 1), date(2025, 3, 1)]
    assert table["last_day"] == [date(2025, 3, 2), None]
    # Half past eleven in the evening of 1 March, as UTC, is 2 March in Oslo.
    assert table["known_from"] == [date(2025, 3, 2), date(2025, 3, 2)]
    assert table["is_deleted"] == [1.0, 0.0]
    assert found.origin == source


def test_our_own_names_need_no_mapping_and_other_tables_are_absent(url):
    source = open_source(url)
    assert source.read(Person).raw["birth_year"].texts() == ["1980"]
    assert source.read(AbsenceSpell) is None
    assert source.absent(AbsenceSpell) == "no such table or view"


def test_columns_that_nothing_asks_for_stay_in_the_database(url):
    # In a file they have been sent already and are searched for identity numbers; here they need not leave at all.
    assert open_source(url, mapping()).read(AbsenceSpell).refusals == []


def test_a_missing_table_and_a_missing_column_are_named(url):
    with pytest.raises(SourceFileError, match=r"no table or view Fravar. Did you mean Fravær\?"):
        open_source(url, mapping("Fravar")).read(AbsenceSpell)
    with pytest.raises(SourceFileError, match=r"lacks the column\(s\) grad \(for grade_percent\)"):
        open_source(url, mapping(columns=MAPPING["columns"] | {"grade_percent": "grad"})).read(AbsenceSpell)


@pytest.mark.parametrize("name", ["persons; drop table persons", 'persons"; drop table persons; --', "persons' or 1=1"])
def test_a_name_is_never_read_as_sql(name, url):
    with pytest.raises(SourceFileError, match="has no table or view"):
        open_source(url, mapping(name)).read(AbsenceSpell)
    with pytest.raises(SourceFileError, match="lacks the column"):
        open_source(url, mapping(columns=MAPPING["columns"] | {"kind": name})).read(AbsenceSpell)
    assert open_source(url).read(Person) is not None


def test_nothing_can_be_written_where_we_read(url):
    with pytest.raises(SourceFileError), open_source(url)._connected() as connection:
        connection.execute(sa.text("insert into persons (person_id) values ('x')"))


def test_a_schema_may_be_named(postgresql):
    found = open_source(postgresql, Mapping.model_validate({"tables": {"persons": {"source": "hr.consents"}}})).read(
        Person
    )
    assert (found.origin, found.raw["person_id"].texts()) == ("hr.consents", ["p1"])


def test_many_rows_come_in_chunks_through_a_cursor_of_the_server(postgresql, monkeypatch):
    monkeypatch.setattr(sql, "CHUNK_ROWS", 7_000)
    source = open_source(postgresql, Mapping.model_validate({"tables": {"persons": {"source": "many"}}}))
    cursors = []
    sa.event.listen(source._engine, "before_cursor_execute", lambda *given: cursors.append(type(given[1]).__name__))
    raw = source.read(Person).raw
    assert cursors[-1] == "ServerCursor"
    assert len(raw["person_id"]) == 120_000
    assert len(raw["person_id"].vocabulary) == 1000
    assert raw["person_id"].texts()[:240] == ["p0"] * 120 + ["p1"] * 120, "chunks are joined in their order"


def test_a_type_that_has_no_text_is_named(postgresql):
    rules = {
        "columns": {"company_id": "person_id"},
        "constants": {"position_percent": "100", "start_date": "2020-01-01"},
    }
    rules |= {"known_from": "start_date + 0 days"}
    with pytest.raises(SourceFileError, match="person_id holds cells of the type timedelta"):
        open_source(postgresql, Mapping.model_validate({"tables": {"employments": rules}})).read(Employment)


SECRET = "s3cret"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/hr",
        f"postgresql+psycopg://user@127.0.0.1:1/hr?password={SECRET}",
        f"postgresql+psycopg://user:a@{SECRET}@127.0.0.1:1/hr",
        f"nosuchdatabase://user:{SECRET}@host/hr",
        f"postgresql+psycopg://user:{SECRET}@host:port/hr",
    ],
)
def test_a_password_is_never_shown(url):
    with pytest.raises(BalanceRiskError) as refused:
        open_source(url).read(Person)
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_the_location_is_shown_without_password_and_options(tmp_path):
    source = open_source(f"postgresql+psycopg://user:{SECRET}@host/hr?sslpassword={SECRET}")
    assert source.location == "postgresql+psycopg://user:***@host/hr"


def test_a_host_that_can_be_no_name_is_a_mistake_and_no_fault():
    with pytest.raises(SourceFileError, match="cannot be read"):
        open_source(f"postgresql+psycopg://user@{'h' * 70}.no/hr").read(Person)


def test_a_view_that_never_ends_is_given_up(tmp_path, monkeypatch):
    """Sorted, it would fill the disk before its first row came."""
    monkeypatch.setattr(sql, "MOST_SQLITE_STEPS", 5_000_000)
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute(
        "create view persons as with recursive n(i) as (select 1 union all select i + 1 from n) "
        "select 'p' || i as person_id, 1980 as birth_year, 'male' as sex, '2025-01-01' as known_from from n"
    )
    connection.close()
    with pytest.raises(SourceFileError, match="Does a view never end"):
        open_source(f"sqlite:///{tmp_path}/x.db").read(Person)


def test_a_database_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(MissingInputError, match="no such database file"):
        open_source(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_so(tmp_path):
    (tmp_path / "x.db").write_text("no database at all, but long enough to be one" * 100)
    with pytest.raises(SourceFileError, match="cannot be read"):
        open_source(f"sqlite:///{tmp_path}/x.db").read(Consent)


def test_a_url_that_is_none_is_explained():
    with pytest.raises(SettingsError, match="Write it like"):
        open_source("what://ever")
