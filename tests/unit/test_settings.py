from datetime import date

import pytest

from data_contracts.errors import MissingInputError, SettingsError
from pipeline.settings import Settings, read_settings


def test_the_file_in_the_project_says_what_the_defaults_say():
    from pathlib import Path

    assert read_settings(Path(__file__).parents[2] / "params.yaml") == Settings()


def test_an_empty_file_means_the_defaults(tmp_path):
    (tmp_path / "params.yaml").write_text("")
    assert read_settings(tmp_path / "params.yaml") == Settings()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("simulate:\n  person: 5\n", "simulate.person"),
        ("simulate:\n  persons: many\n", "simulate.persons"),
        ("training:\n  test_share: 1.5\n", "training.test_share"),
        ("monitoring:\n  calibration_tolerance: 0.6\n", "monitoring.calibration_tolerance"),
        ('training:\n  data_as_of: "2024-13-01"\n', "training.data_as_of"),
        ("outcomes:\n  burnout:\n    min_days: 3\n", "outcomes.burnout.min_days"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(text, where, tmp_path):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(SettingsError, match=where.replace(".", r"\.")):
        read_settings(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["simulate: [", "training:\n  data_as_of: 2024-13-01\n"])
def test_text_that_is_no_yaml_is_a_settings_error(text, tmp_path):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(SettingsError, match="not valid YAML"):
        read_settings(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", [
    'ingest: {sources: "postgresql://u:hunter2@h/d"}', 'ingest: ["postgresql://u:hunter2@h/d"]',
    "ingest: postgresql://u:hunter2@h/d", 'ingest: {"postgresql://u:hunter2@h/d": 1}',
    "ingest: {source: postgresql://u:hunter2@h/d", "ingest:\n\tsource: postgresql://u:hunter2@h/d",
    "ingest: {received_on: postgresql:u:hunter2}",
])  # fmt: skip
def test_an_address_in_the_wrong_place_is_not_repeated(text, tmp_path):
    """YAML's and Pydantic's own messages quote the line, and with it the password."""
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_settings(tmp_path / "params.yaml")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("content", [b"[" * 3000, b"a: " + b"{a: " * 3000, b"\xff", b"\0", b"!!python/name:os.system"])
def test_a_file_that_is_no_params_file_is_a_settings_error(content, tmp_path):
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"params\.yaml"):
        read_settings(tmp_path / "params.yaml")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingInputError, match=r"nowhere\.yaml"):
        read_settings(tmp_path / "nowhere.yaml")


def test_dates_may_be_quoted_because_dvc_cannot_read_them_otherwise(tmp_path):
    (tmp_path / "params.yaml").write_text('simulate:\n  start: "2020-01-01"\n')
    assert read_settings(tmp_path / "params.yaml").simulate.start == date(2020, 1, 1)
