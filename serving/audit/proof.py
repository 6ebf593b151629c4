"""What a verification of the log found, and up to where there is proof; as JSON values, and in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from serving.audit.heads import Head
from serving.audit.restored import Restoration
from serving.audit.writer import HEAD_SECONDS

MOST_LISTED = 20


@dataclass(frozen=True)
class Finding:
    """One way in which the log is not what was written; ``n`` is the event it was seen at."""

    kind: str
    n: int
    text: str


@dataclass
class Proof:
    """What was found, and up to where there is proof."""

    events: int = 0
    last: int = 0
    last_at: str = ""
    heads: int = 0
    newest_head: Head | None = None
    has_heads: bool = True
    keys: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    n_findings: int = 0
    restores: list[Restoration] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """True if nothing was found."""
        return self.n_findings == 0

    @property
    def unproven(self) -> int:
        """How many events stand after the newest head."""
        return max(0, self.last - (self.newest_head.n if self.newest_head else 0))

    def found(self, kind: str, n: int, text: str) -> None:
        """Count a finding and keep it if it is among the first."""
        self.n_findings += 1
        if len(self.findings) < MOST_LISTED:
            self.findings.append(Finding(kind, n, text))


def report_of(proof: Proof) -> dict[str, Any]:
    """Return the proof as JSON values, with a summary for people."""
    newest = proof.newest_head
    return {
        "sound": proof.is_sound,
        "events": proof.events,
        "last_event": proof.last,
        "last_event_at": proof.last_at or None,
        "keys": dict(proof.keys),
        "heads": proof.heads,
        "newest_head": None if newest is None else {"number": newest.k, "event": newest.n, "at": newest.at},
        "events_after_newest_head": proof.unproven,
        "restores": [vars(one) for one in proof.restores],
        "findings": [vars(one) for one in proof.findings],
        "n_findings": proof.n_findings,
        "summary": _summary(proof),
    }


def _summary(proof: Proof) -> str:
    lines = [f"{proof.events} events, {proof.heads} heads, {proof.n_findings or 'no'} findings."]
    lines += [f"{one.kind}: {one.text}" for one in proof.findings]
    if proof.n_findings > len(proof.findings):
        lines.append(f"... and {proof.n_findings - len(proof.findings)} more.")
    lines += [f"restored, as you know: {one.text}" for one in proof.restores if one.is_known]
    if proof.is_sound:
        lines.append("Every event is as it was written, in its place.")
        if proof.newest_head is not None:
            besides = "But for those that restores lost, none" if proof.restores else "None"
            lines.append(
                f"{besides} is missing up to event {proof.newest_head.n}, signed on {proof.newest_head.at}. After it stand "
                f"{proof.unproven} events; others, of {HEAD_SECONDS:.0f} seconds, could have been cut off unseen."
            )
        elif not proof.has_heads:
            lines.append("No heads are kept: events cut off at the end would go unseen.")
        lines.append("Whoever holds the key could write another chain; only heads kept out of their reach would tell.")
    return "\n".join(lines)
