"""Whatever a model adds up, what is printed adds up to what is printed."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.domains import DOMAIN_LABELS
from serving.clinician.allocation import allocation, shared
from tests.lib.explanations import explained

PARTS = st.floats(-3, 3, allow_nan=False)
DOMAINS = st.lists(st.lists(PARTS, min_size=1, max_size=12), min_size=1, max_size=len(DOMAIN_LABELS))


@settings(deadline=None)
@given(st.floats(-5, 3), DOMAINS, st.sampled_from(["event", "days"]))
def test_base_and_parts_add_up_to_the_number_as_it_is_printed(base, domains, target):
    one = explained(base, domains, target)
    parts = allocation(one)
    assert parts.base + sum(domain.printed for domain in parts.domains) == parts.number
    for domain in parts.domains:
        assert sum(feature.printed for feature in domain.features) == domain.printed
    shown = {"points": 100 * (one.risk or 0), "days": one.expected_days, "log_odds": one.log_odds}[parts.unit]
    assert math.isclose(parts.value(parts.number), shown, abs_tol=0.5001 / 10**parts.digits)


@settings(deadline=None)
@given(st.floats(-5, 3), DOMAINS, st.sampled_from(["event", "days"]))
def test_nothing_is_printed_with_the_other_sign_and_no_bar_leads_past_what_there_is(base, domains, target):
    one = explained(base, domains, target)
    parts = allocation(one)
    for domain in parts.domains:
        for part in (domain, *domain.features):
            assert part.printed * part.contribution >= 0 or abs(part.contribution) < 1e-9
    most = {"points": 100, "days": one.horizon_days, "log_odds": math.inf}[parts.unit]
    reached = parts.base + sum(domain.printed for domain in parts.domains if domain.printed > 0)
    assert parts.value(reached) <= most + 1
    if parts.unit != "log_odds":
        assert parts.base >= 0


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60))
def test_every_value_is_rounded_up_or_down_and_never_further(values):
    total = round(math.fsum(values))
    found = shared(values, total)
    assert sum(found) == total
    assert all(abs(one - value) < 1 + 1e-6 for one, value in zip(found, values, strict=True))
