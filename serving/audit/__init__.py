"""Who saw what about whom: one append-only chain of events, written before an answer leaves."""
