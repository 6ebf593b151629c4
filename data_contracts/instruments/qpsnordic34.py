"""QPSNordic 34+, the short General Nordic Questionnaire: the four of its scales that could be verified.

The form itself (34 single questions, 37 in later prints) was not at hand, and no list that says which question belongs to
which scale was found. Declared are the scales that a study of the Norwegian form reports with their number of questions
and their content. Left out, until someone holds the form: a fifth scale (organisational climate, six questions, of which
it is not known which run the other way) and the questions that belong to no scale.
"""

from __future__ import annotations

from data_contracts.instruments.instrument import Instrument, Item, Scale

_N_ITEMS = {"role_clarity": 2, "control": 4, "support_from_superior": 2, "empowering_leadership": 2}
_ITEMS = {part: tuple(f"{part}_{number}" for number in range(1, n + 1)) for part, n in _N_ITEMS.items()}


def _scale(part: str, *, label_nb: str, label_en: str) -> Scale:
    return Scale(
        name=f"qpsnordic34_{part}",
        items=_ITEMS[part],
        method="mean",
        fewest_answers=len(_ITEMS[part]),
        minimum=1,
        maximum=5,
        higher_is_worse=False,
        domain="stress_and_work_environment",
        modifiable=True,
        label_nb=label_nb,
        label_en=label_en,
    )


QPSNORDIC_34 = Instrument(
    name="qpsnordic34",
    title="General Nordic Questionnaire for Psychological and Social Factors at Work, QPSNordic 34+ (verified scales only)",
    items=tuple(Item(item, (1.0, 2.0, 3.0, 4.0, 5.0)) for items in _ITEMS.values() for item in items),
    scales=(
        _scale("role_clarity", label_nb="Klare mål og forventninger", label_en="Clear goals and expectations"),
        _scale("control", label_nb="Kontroll over arbeidsmengde og tempo", label_en="Control over workload and pace"),
        _scale(
            "support_from_superior",
            label_nb="Hjelp og verdsetting fra nærmeste leder",
            label_en="Help and appreciation from the immediate superior",
        ),
        _scale(
            "empowering_leadership",
            label_nb="Leder som oppmuntrer til medvirkning og utvikling",
            label_en="Leader who encourages participation and development",
        ),
    ),
    coding=(
        "1 = very seldom or never, 5 = very often or always. Items are numbered within their scale, in any order, "
        "because that is all the scores depend on."
    ),
    licence="Free to use with citation (Nordic Council of Ministers).",
    source=(
        "Dallner M, Elo AL, Gamberale F, et al. Nord 2000:12 (answer codes). Scales and their number of items from a "
        "study of nursing-home staff quoted at visitsidewalk.com (QPSNordic 34+); that it is Roen I, et al. Int "
        "Psychogeriatr 2018;30:1279-1290 is recalled. No rule for missing answers found: all of a scale are required."
    ),
)
