"""What a stranger's JSON may be: each limit at its edge, and no text with two meanings."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving import json_limits
from serving.json_limits import LONGEST_TEXT, MOST_DEPTH, MOST_VALUES, JsonRefused, read_json

REQUEST = (Path(__file__).parents[2] / "examples" / "request.json").read_bytes()
IDENTITY_NUMBER = "01818010008"  # synthetic: the month is raised by 80

# Colons, quotes and backslashes are what the search for lost members could stumble over.
texts = st.text(alphabet=st.sampled_from('a:"\\,{}[]u03A å\u2028\U0001f600\x00'), max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=30,
)


@given(documents, st.booleans(), st.sampled_from([None, 2]))
@example({"\\u003a": "\\\\u003a:"}, True, None)
def test_what_an_encoder_writes_is_read_as_it_was(document, ascii_only, indent):
    assert read_json(json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()) == document


@given(documents, texts, st.dictionaries(texts, documents, max_size=3), st.booleans())
def test_two_members_of_one_name_are_refused_wherever_they_stand(first, name, others, escaped):
    """The parser would keep the last: a record with two lists of laboratory results would lose one in silence."""
    written = json.dumps(name)
    if escaped:
        # The same name, spelt otherwise, with colons that stand in the text but not in the body.
        written = '"' + "".join(f"\\u{ord(letter):04x}" for letter in name if ord(letter) < 2**16) + '"'
        name = json.loads(written)
    others.pop(name, None)
    rest = "".join(f"{json.dumps(key)}: {json.dumps(value)}, " for key, value in others.items())
    body = f'[{{{written}: {json.dumps(first)}, {rest}{json.dumps(name)}: ":"}}]'
    with pytest.raises(JsonRefused, match="two members of the same name"):
        read_json(body.encode())


@pytest.mark.parametrize(
    ("opening", "closing", "levels"), [("[", "]", 1), ('{"a":', "}", 1), ('[{"a": 2, "b":', "}]", 2)]
)
def test_nesting_has_a_limit(opening, closing, levels):
    most = MOST_DEPTH // levels
    read_json((opening * most + "1" + closing * most).encode())
    for deeper in (most + 1, 120, 200, 300, 10_000, 60_000):
        with pytest.raises(JsonRefused, match=r"nested more than|Depth limit|more than \d+ values"):
            read_json((opening * deeper + "1" + closing * deeper).encode())


def test_a_text_that_looks_like_nesting_is_none():
    document = ["\n" + "  " * 99, {"\n" + " " * 99: "[" * 99}]
    assert read_json(json.dumps(document).encode()) == document


def test_the_number_of_values_has_a_limit_that_grows_with_the_body():
    read_json(b"[" + b"1," * (MOST_VALUES - 2) + b"1]")
    for body in (b"[" + b"1," * MOST_VALUES + b"1]", b"[" * 2**20, b"," * 2**20, b"{}," * 300_000):
        with pytest.raises(JsonRefused, match="more than"):
            read_json(body)
    # A batch of several MiB may have as many values as its records would have had one by one.
    records = REQUEST.strip() + b","
    read_json(b"[" + records * (3 * 2**20 // len(records)) + b"1]")


def test_texts_and_names_have_a_limit():
    longest = "y" * LONGEST_TEXT
    for document in ([longest], {longest: 1}, [[{"a": [longest, 'quotes "' * 99]}]]):
        assert read_json(json.dumps(document).encode()) == document
    # Quotes and backslashes must not make a long text look like many short ones.
    for text in (longest + "y", '"' * (LONGEST_TEXT + 1), "\\" * (LONGEST_TEXT + 1), "\u20ac" * (LONGEST_TEXT + 1)):
        for document in ([text], {text: 1}, {"a": [{"b": text}]}):
            with pytest.raises(JsonRefused, match="A text in the body is longer"):
                read_json(json.dumps(document).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[1,]", b"NaN", b"[Infinity]", b"1e400", b"[-1e400]", b"1" * 5_000, b"[" + b"1" * 4_299 + b"]",
     b'"\\ud800"', b'{"\\udfff":1}', b'"\xed\xa0\x80"', b'"\xff"', b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"'a'", b"01",
     b"{} {}", b'"a\nb"', b"[1]\x00"],
)  # fmt: skip
def test_what_is_not_json_is_refused(body):
    """Infinity and integers that no float holds came through pydantic's parser, and failed later as a fault of ours."""
    with pytest.raises(JsonRefused):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    ['{"fnr": "%s",}', '{"%s": 1, "%s": 2}', '{"a": "%s', '["%s" 1]', "%s %s", "[" * 99 + '"%s"' + "]" * 99],
)
def test_no_message_quotes_what_was_sent(body):
    with pytest.raises(JsonRefused) as caught:
        read_json(body.replace("%s", IDENTITY_NUMBER).encode())
    assert IDENTITY_NUMBER not in str(caught.value)
    # orjson's error carries the whole text; nobody who logs the chain may find it.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_numbers_larger_than_64_bits_become_doubles():
    assert read_json(b"[18446744073709551615, 18446744073709551616, 1e308]") == [2**64 - 1, float(2**64), 1e308]


def test_a_usual_body_pays_little():
    """The limits must not cost more than the parsing they protect; the factor leaves room for a busy machine."""
    body = b"[" + b",".join([REQUEST] * 3) + b"]"
    read, parsed = (min(_seconds(reader, body) for _ in range(200)) for reader in (read_json, json_limits.orjson.loads))
    assert read < 4 * parsed


def _seconds(reader, body):
    before = time.perf_counter()
    reader(body)
    return time.perf_counter() - before
