"""Stage build-training-set: tables → eligible (person, index date) pairs with features, labels, weights and flow counts."""

from __future__ import annotations
