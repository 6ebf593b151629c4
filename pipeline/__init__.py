"""The stages a data scientist runs: one file = one stage = one CLI verb."""
