"""Outcomes that lack data: the others go on, word is left and taken away, and the exit code tells."""

from __future__ import annotations

import pytest
import typer

from data_contracts.errors import NotEnoughDataError, SettingsError
from pipeline.commands.options import show
from pipeline.lacking import FILE, forget, lines, refuse_if_lacking, remember, told, with_data, with_outlook


def work(name: str) -> str:
    if name == "burnout":
        raise NotEnoughDataError("burnout: too few", {"missing_persons": 3})
    return name.upper()


def test_the_others_go_on():
    done, lacking = with_data(["burnout", "absence_days"], work)
    assert done == {"absence_days": "ABSENCE_DAYS"}
    assert told(lacking) == {"burnout": {"message": "burnout: too few", "verdict": {"missing_persons": 3}}}
    assert lines(lacking) == ["  burnout: too few"]


def test_where_none_can_go_on_the_error_says_what_each_lacks():
    with pytest.raises(NotEnoughDataError, match="burnout: too few") as raised:
        with_data(["burnout"], work)
    assert raised.value.verdict == {"missing_persons": 3}


def test_any_other_error_is_not_taken_for_a_lack_of_data():
    def broken(name: str) -> str:
        raise SettingsError("wrong")

    with pytest.raises(SettingsError):
        with_data(["burnout"], broken)


def test_word_is_left_and_taken_away(tmp_path):
    home = tmp_path / "burnout"
    refuse_if_lacking(home)
    remember(home, NotEnoughDataError("too few", {"missing_persons": 3}))
    with pytest.raises(NotEnoughDataError, match="too few") as raised:
        refuse_if_lacking(home)
    assert raised.value.verdict == {"missing_persons": 3}
    forget(home)
    assert not (home / FILE).exists()
    refuse_if_lacking(home)


def test_the_outlook_names_the_outcome_and_says_how_many_more():
    said = with_outlook(NotEnoughDataError("No label."), "burnout", 120)
    assert str(said).startswith("burnout: No label. Even then: not enough data for burnout; ")
    assert said.verdict is not None
    assert said.verdict["missing_persons"] == said.verdict["required_persons"] - 120
    assert str(with_outlook(NotEnoughDataError("burnout: No label."), "burnout", 10**6)) == "burnout: No label."


def test_the_exit_code_tells_that_not_all_is_there(capsys):
    with pytest.raises(typer.Exit) as raised:
        show({"summary": "done", "not_enough_data": {"burnout": {}}}, as_json=False)
    assert raised.value.exit_code == 4
    assert capsys.readouterr().out == "done\n"
    show({"summary": "done", "not_enough_data": {}}, as_json=False)
