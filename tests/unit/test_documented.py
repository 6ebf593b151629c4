"""What counts as a command of a page: continuations, comments, quotes, output, blocks of other languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lib import documented


@pytest.fixture
def page(tmp_path):
    """Write a page; return what is to be run on it, as text and line."""

    def read(text: str) -> list[tuple[str, int]]:
        path = tmp_path / "page.md"
        path.write_text(text)
        return [(command.text, command.line) for command in documented.commands(path)]

    return read


def test_continued_lines_are_one_command_at_its_first_line(page):
    text = "Title\n\n```\nbalance-risk score \\\n  --person p-1 \\\n  --json\nmake docs\n```\n"
    assert page(text) == [("balance-risk score --person p-1 --json", 4), ("make docs", 7)]


def test_a_comment_is_no_part_of_a_command_and_a_hash_in_a_word_or_in_quotes_is_no_comment(page):
    text = "```sh\n# first\nbalance-risk score    # everybody\ncurl 'http://a/#b' --data \"a # c\"\nmake a#b\n```\n"
    assert page(text) == [("balance-risk score", 3), ("curl 'http://a/#b' --data \"a # c\"", 4), ("make a#b", 5)]


def test_a_comment_behind_a_continued_line_does_not_swallow_the_next_command(page):
    text = "```\nbalance-risk score \\\n  --json    # for machines\nmake docs\n```\n"
    assert page(text) == [("balance-risk score --json", 2), ("make docs", 4)]


def test_indented_blocks_are_read_in_lists_too(page):
    text = "Do:\n\n    balance-risk doctor\n\n1. Then:\n\n   ```\n   balance-risk train\n   ```\n"
    assert page(text) == [("balance-risk doctor", 3), ("balance-risk train", 8)]


def test_open_quotes_and_here_documents_are_taken_whole(page):
    text = "```sh\ncurl --data '{\n  \"a\": 1}' here\npython - <<'END'\nprint(1)\nEND\nmake docs\n```\n"
    assert page(text) == [
        ("curl --data '{\n  \"a\": 1}' here", 2),
        ("python - <<'END'\nprint(1)\nEND", 4),
        ("make docs", 7),
    ]


def test_behind_a_prompt_stands_a_command_and_elsewhere_its_output(page):
    assert page("```console\n$ balance-risk doctor\nbalance-risk is well\n```\n") == [("balance-risk doctor", 2)]


def test_a_block_without_language_holds_commands_and_other_things(page):
    text = "```\nmodels/   what is predicted\nTOKEN=$(balance-risk token)\nA=1 make docs\n33 of 100\n```\n"
    assert page(text) == [("TOKEN=$(balance-risk token)", 3), ("A=1 make docs", 4)]


@pytest.mark.parametrize("language", ["yaml", "python", "ini"])
def test_another_language_has_no_commands(page, language):
    assert page(f"```{language}\nmake: docs\n```\n") == []


def test_the_program_stands_behind_its_variables(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("```\nA=1 B=2 make docs\n```\n")
    (command,) = documented.commands(path)
    assert (command.program, command.words) == ("make", ("A=1", "B=2", "make", "docs"))


def test_a_command_that_no_shell_would_take_is_an_error_of_the_page(page):
    with pytest.raises(ValueError, match="quotation"):
        page("```sh\nbalance-risk promote --reason 'open\n```\n")


def test_links_headings_and_inline_code_come_with_their_lines(tmp_path: Path):
    path = tmp_path / "page.md"
    path.write_text("# A `b` c\n\n[x](y.md#z)\nand `code` ![p](p.png)\n")
    assert documented.headings(path) == [documented.Piece("A b c", 1)]
    assert [(piece.text, piece.line) for piece in documented.links(path)] == [("y.md#z", 3), ("p.png", 4)]
    assert documented.Piece("code", 4) in documented.inline_code(path)
