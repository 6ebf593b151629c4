"""Faults planted on purpose, each with the rule of the contract that must catch it."""
