"""How to read the pages: what the words, the numbers and the signs mean."""

from __future__ import annotations

from starlette.responses import Response

from models.wording import RISK_BANDS
from serving.call import Call
from serving.clinician.rendering import page
from serving.store.marks import ABOVE_TIMES


def help_page(call: Call) -> Response:
    """Explain the pages; about nobody."""
    return page(
        call, "help.html", here="help", bands=[_band(n) for n in range(len(RISK_BANDS))], above_times=ABOVE_TIMES
    )


def _band(n: int) -> dict[str, object]:
    band = RISK_BANDS[n]
    return {
        "name": band.name,
        "label": {"nb": band.label_nb, "en": band.label_en},
        "from_times": RISK_BANDS[n - 1].below if n else None,
        "below_times": band.below if n + 1 < len(RISK_BANDS) else None,
    }
