"""The programme's offers as the pages show them: the declaration of ``data_contracts``, with one name for all pages."""

from __future__ import annotations

from data_contracts.programme_offers import LEVEL_LABELS, Offer, WorkplaceMeasure, measure_for, offer_for

__all__ = ["LEVEL_LABELS", "Offer", "WorkplaceMeasure", "measure_for", "offer_for"]
