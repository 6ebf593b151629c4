"""What a Markdown page tells its reader to run, follow and look up; read as a Markdown parser reads it, not by pattern."""

from __future__ import annotations

import configparser
import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

PROGRAMS = (
    "balance-risk",
    "make",
    "curl",
    "python",
    "dvc",
    "podman",
    "docker",
    "kubectl",
    "dask",
    "marimo",
    "openssl",
    "pip",
    "export",
)
"""What a line of a block without a language must start with to be a command: such a block may also be a table or a tree."""

SHELLS = ("console", "sh", "bash", "shell")
"""Every line of a block in one of these is a command; with `$ ` before one line, only lines with it: the rest is output."""

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True)
class Block:
    """A fenced or indented block: its text without the fence, the number of its first line in the page, and its info string."""

    text: str
    line: int
    info: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info else ""


@dataclass(frozen=True)
class Command:
    """One command of a page, its continued lines joined and its comment left out."""

    words: tuple[str, ...]
    text: str
    line: int

    @property
    def program(self) -> str:
        """What is run, behind variables set for it alone."""
        return next((word for word in self.words if not ASSIGNMENT.match(word)), self.words[0])


@dataclass(frozen=True)
class Piece:
    """Inline code, the target of a link, or the text of a heading; and its line."""

    text: str
    line: int


def blocks(path: Path, language: str | None = None) -> list[Block]:
    """The blocks of a page in its order; of one language, if that is asked for."""
    found = [block_of(token) for token in tokens(path) if token.type in ("fence", "code_block")]
    return [block for block in found if language is None or block.language == language]


def commands(path: Path) -> list[Command]:
    """Every command of a page in its order."""
    return [command for block in blocks(path) for command in commands_of(block)]


def inline_code(path: Path) -> list[Piece]:
    return [Piece(child.content, line) for line, child in inline(path) if child.type == "code_inline"]


def links(path: Path) -> list[Piece]:
    """Targets of links and pictures."""
    wanted = {"link_open": "href", "image": "src"}
    return [Piece(str(child.attrs[wanted[child.type]]), line) for line, child in inline(path) if child.type in wanted]


def headings(path: Path) -> list[Piece]:
    found = tokens(path)
    return [
        Piece("".join(child.content for child in after.children or []), line_of(token))
        for token, after in pairwise(found)
        if token.type == "heading_open"
    ]


def tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))


def inline(path: Path) -> Iterator[tuple[int, Token]]:
    """Each token within a paragraph, heading or cell, with its line."""
    for token in tokens(path):
        line = line_of(token)
        for child in token.children or []:
            yield line, child
            line += child.type in ("softbreak", "hardbreak")


def line_of(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def block_of(token: Token) -> Block:
    # A fence's own line stands before its text.
    return Block(token.content, line_of(token) + (token.type == "fence"), token.info.strip())


def commands_of(block: Block) -> list[Command]:
    if block.language and block.language not in SHELLS:
        return []
    found = list(statements(block))
    if any(text.startswith("$ ") for text, _ in found):
        return [as_command(text[2:], line) for text, line in found if text.startswith("$ ")]
    return [as_command(text, line) for text, line in found if block.language or starts_a_command(text)]


def starts_a_command(text: str) -> bool:
    words = [word for word in text.split() if not ASSIGNMENT.match(word) or "=$(" in word]
    return bool(words) and (words[0] in PROGRAMS or "=$(" in words[0])


def as_command(text: str, line: int) -> Command:
    return Command(tuple(shlex.split(text)), text, line)


def statements(block: Block) -> Iterator[tuple[str, int]]:
    """Text and line of each statement: continued lines, open quotes and here-documents taken together."""
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        start, text = at, without_comment(lines[at])
        at += 1
        while at < len(lines) and goes_on(text):
            text = text[:-1].rstrip() + " " if text.endswith("\\") else text + "\n"
            text += without_comment(text + lines[at])[len(text) :].lstrip() if text.endswith(" ") else lines[at]
            at += 1
        if (end := here_document(text)) is not None:
            taken = lines[at : lines.index(end, at) + 1]
            text, at = "\n".join([text, *taken]), at + len(taken)
        if text.strip():
            yield text.strip(), block.line + start


def goes_on(text: str) -> bool:
    return text.endswith("\\") or not balanced(text)


def here_document(text: str) -> str | None:
    """The line that ends what follows a command, if it reads one."""
    found = re.search(r"<<'?(\w+)'?", text)
    return found[1] if found else None


def balanced(text: str) -> bool:
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


def without_comment(text: str) -> str:
    """As a shell leaves it out: from a # that starts a word outside quotes."""
    for at, sign in enumerate(text):
        if sign == "#" and (at == 0 or text[at - 1].isspace()) and balanced(text[:at]):
            return text[:at].rstrip()
    return text.rstrip()


class Settings(configparser.RawConfigParser):
    """Sections of keys and values, as systemd and environment files have them: a key is as it is written."""

    def optionxform(self, optionstr: str) -> str:
        """Return the key unchanged; the parser would write it small."""
        return optionstr
