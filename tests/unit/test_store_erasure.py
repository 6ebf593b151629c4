"""An erasure in the store: names in what somebody wrote about another go too, however they are spelled."""

from __future__ import annotations

import pytest

from serving.store.erasure import GONE, erase
from tests.lib.stores import KINDS, NIGHT, OUTCOME, fresh_url, opened, rows, scored, server, write


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    with server(request.param) as server_url, opened(fresh_url(server_url, tmp_path)) as found:
        yield found


def test_a_name_in_the_reason_of_another_is_masked_in_capitals_or_not_and_nothing_else(store):
    write(store, scored("SYN-1"), scored("q"))
    score = store.latest_score("q", NIGHT)
    for reason in ("works with SYN-1.", "syn-1 said so, SYN-1 too", "100 % of S_N-1"):
        store.record_decision("dr-1", score, OUTCOME, "agree", reason)
    store.begin_care("dr-1", "q", "sent by Syn-1", NIGHT)
    gone = erase(store.database, ["SYN-1"], ["SYN-1"])
    assert (gone["decisions.reason"], gone["care_relations.reason"]) == (2, 1)
    told = [one.reason for one in store.decisions()]
    assert told == [f"works with {GONE}.", f"{GONE} said so, {GONE} too", "100 % of S_N-1"]
    assert "syn-1" not in repr(rows(store)).lower()
