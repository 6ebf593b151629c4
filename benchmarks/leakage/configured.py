"""What was configured in each rival, in words: one pair of sentences (default, best) per tool and topic."""

from __future__ import annotations

ABSENCE, SURVEY, LAB, CONSENT, LABEL = "absence", "survey", "laboratory", "consent", "label"

TOPICS = {
    1: (ABSENCE, LABEL), 2: (ABSENCE,), 3: (ABSENCE,), 4: (ABSENCE, LABEL), 5: (SURVEY,), 6: (SURVEY,),
    7: (LAB,), 8: (ABSENCE,), 9: (ABSENCE,), 10: (CONSENT,), 11: (LABEL,), 12: (LABEL,),
}  # fmt: skip
"""What each case is about; the sentences of a case and tool are those of its topics."""

_NO_CONSENT = (
    "Not offered: no notion of consent or purpose; filtering rows per person and date would be the user's own code."
)
_NO_LABELS = "Not offered: label times are an input, who is eligible and when follow-up ends is up to the user."

CONFIGURED = {
    "featuretools": {
        ABSENCE: (
            "One row per absent day; time index = when the row became known (the later of the day and known_from), as its "
            "guide says; COUNT, SUM and TIME_SINCE_LAST with training_window; every switch as it ships.",
            "Versions as children of the spell with time index known_from, so that LAST takes the version known last; "
            "four custom primitives with uses_calc_time clip the spell at the cutoff; include_cutoff_time=False.",
        ),
        SURVEY: (
            "Time index = known_from as parsed (UTC, zone dropped); LAST and TIME_SINCE.",
            "Times turned into local dates on loading; time index = known_from; include_cutoff_time=False.",
        ),
        LAB: (
            "Time index = known_from, as its guide says; LAST.",
            "Time index = sampled_on, secondary_time_index = known_from for the value, include_cutoff_time=False; "
            "rows are not checked against each other.",
        ),
        CONSENT: (_NO_CONSENT, _NO_CONSENT),
        LABEL: (_NO_LABELS, _NO_LABELS),
    },
    "timeseriesflattener": {
        ABSENCE: (
            "One row per absent day, timestamp = the day (a value has one timestamp); look-behind of one distance, sum.",
            "Timestamp = the later of the day and known_from; identical rows dropped beforehand; look-behind (1 day, N "
            "days), as both ends are included; no aggregator sees versions, running spells or days since.",
        ),
        SURVEY: (
            "Timestamp = answered_on as parsed (UTC, zone dropped); latest value.",
            "Timestamp = known_from as a local date; look-behind from 1 day on; the age of an answer is not offered.",
        ),
        LAB: (
            "Timestamp = sampled_on; latest value.",
            "Timestamp = the later of sampled_on and known_from; rows are not checked against each other.",
        ),
        CONSENT: (_NO_CONSENT, _NO_CONSENT),
        LABEL: (
            "Episodes over 16 days as outcome rows; look-ahead of 365 days; eligibility and censoring not offered.",
            "The first version's interface, still in the package: look-ahead (-1, 364] days and "
            "drop_pred_times_with_insufficient_look_distance, which reads the end of data from the newest outcome.",
        ),
    },
    "feast": {
        ABSENCE: (
            "Versions as rows: event timestamp = first_day, created timestamp = known_from; an on-demand view clips the "
            "latest spell at the asked moment; every switch of get_historical_features as it ships, asked at midnight of t.",
            "filter_by_created_timestamp=True, asked at the last second of the day before t. Feast returns the latest spell "
            "and does not add up: right for persons with one spell, as all are here.",
        ),
        SURVEY: (
            "Event timestamp = answered_on in UTC, created = known_from; asked at midnight without a zone.",
            "Times turned into local dates on loading; filter_by_created_timestamp=True; asked a second before midnight.",
        ),
        LAB: (
            "Event timestamp = sampled_on, created timestamp = known_from.",
            "The same with filter_by_created_timestamp=True; rows are not checked against each other.",
        ),
        CONSENT: (_NO_CONSENT, _NO_CONSENT),
        LABEL: (_NO_LABELS, _NO_LABELS),
    },
}
