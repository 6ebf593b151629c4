"""The store's tables: made by migrations that fit their declaration, once, by however many processes try."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from data_contracts.errors import SettingsError
from serving.store import open_store
from serving.store.connection import database
from serving.store.schema import MIGRATIONS, VERSION_TABLE
from serving.store.tables import HEAD, METADATA, PERSONAL
from tests.lib.stores import opened

OPEN = "import sys; from serving.store import open_store; open_store(sys.argv[1]).close()"


def test_migrations_make_the_tables_that_are_declared(url):
    with opened(url) as store, store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == HEAD


def test_the_head_that_is_written_down_is_that_of_the_scripts():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_every_table_with_a_person_is_known_to_the_erasure():
    assert {table for table in METADATA.tables.values() if "person_id" in table.c} == set(PERSONAL)


def test_several_processes_open_an_empty_store_at_once(url):
    started = [subprocess.Popen([sys.executable, "-c", OPEN, url], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, errors
    with opened(url) as store, store.database.reading() as connection:
        assert set(METADATA.tables) <= set(inspect(connection).get_table_names())


def test_a_store_in_order_is_opened_without_alembic(url):
    open_store(url).close()
    look = f"{OPEN}; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look, url], check=False).returncode == 0


def test_a_store_of_a_newer_version_is_not_touched(url):
    with opened(url) as store, store.database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="newer version"):
        open_store(url)


@pytest.mark.parametrize("wrong", ["", "x", "mysql://u:secret@h/x", "sqlite://", "sqlite:///"])
def test_another_url_is_refused_without_being_shown(wrong):
    with pytest.raises(SettingsError, match="must be sqlite") as error:
        database(wrong).engine.connect()
    assert "secret" not in str(error.value)


def test_the_file_is_for_nobody_else_to_read(tmp_path):
    place = tmp_path / "store" / "store.db"
    with opened(f"sqlite:///{place}"):
        assert place.stat().st_mode & 0o077 == 0
        assert place.parent.stat().st_mode & 0o077 == 0
        assert {path.stat().st_mode & 0o077 for path in Path(place.parent).iterdir()} == {0}
