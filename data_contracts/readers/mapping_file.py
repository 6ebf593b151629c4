"""A mapping file's YAML as plain text: no types are guessed, nothing is expanded, nothing is said twice.

YAML turns an unquoted ``No`` into false and ``2026-03-01`` into a date; in a mapping these are the customer's own codes,
so every scalar stays the text that was written. Anchors and aliases, with which a few lines unfold into gigabytes, and
tags have no use here and are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.national_identity_number import contains

_LARGEST = 256 * 1024
_DEEPEST = 20
_EMPTY = ("", "~", "null")
_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def read_plain_yaml(path: Path) -> Any:
    """Return the file as dicts, lists, strings and None; raises SettingsError naming file and line."""
    if not path.is_file():
        raise MissingInputError(f"{path} does not exist. It should be the column-mapping file.")
    if path.stat().st_size > _LARGEST:
        raise SettingsError(f"{path} is larger than {_LARGEST // 1024} kB, too large for a column mapping.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        _refuse_expansions(path, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    except RecursionError:
        raise SettingsError(f"{path} is nested too deeply for a column mapping.") from None
    except yaml.MarkedYAMLError as fault:
        raise SettingsError(f"{path}{_line(fault.problem_mark)}: not valid YAML. {fault.problem}.") from None
    except yaml.YAMLError:
        raise SettingsError(f"{path}: not valid YAML.") from None
    return None if node is None else _plain(path, node)


def _refuse_expansions(path: Path, text: str) -> None:
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:  # the scanner's time grows with the square of the depth
            raise RecursionError
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
            raise SettingsError(
                f"{path}{_line(token.start_mark)}: anchors (&), aliases (*) and tags (!) are not allowed."
            )
        if isinstance(token, yaml.ScalarToken) and contains(token.value):
            raise SettingsError(
                f"{path}{_line(token.start_mark)}: a national identity number stands here. Take it out."
            )


def _plain(path: Path, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise SettingsError(f"{path}{_line(key_node.start_mark)}: a name must be text.")
            if key_node.value in found:
                raise SettingsError(
                    f"{path}{_line(key_node.start_mark)}: {key_node.value} stands there twice. Keep one."
                )
            found[key_node.value] = _plain(path, value_node)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, one) for one in node.value]
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return None if is_plain and node.value in _EMPTY else node.value


def _line(mark: yaml.Mark | None) -> str:
    return f", line {mark.line + 1}" if mark else ""
