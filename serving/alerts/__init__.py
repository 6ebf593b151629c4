"""Alerts to a team within its capacity: raised at night, delivered by webhook, acknowledged, expired."""
