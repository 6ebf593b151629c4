"""What a stage leaves behind is JSON that any reader accepts, whole or not there."""

from __future__ import annotations

import pytest

from pipeline.console import read_json, write_json


def test_what_is_written_is_read(tmp_path):
    write_json(tmp_path / "new" / "report.json", {"ø": [1, None]})
    assert read_json(tmp_path / "new" / "report.json") == {"ø": [1, None]}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_in_json_is_refused_and_the_file_before_stays(tmp_path, value):
    write_json(tmp_path / "report.json", {"auroc": 0.7})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "report.json", {"auroc": value})
    assert read_json(tmp_path / "report.json") == {"auroc": 0.7}
    assert len(list(tmp_path.iterdir())) == 1
