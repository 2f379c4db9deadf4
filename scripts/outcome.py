"""What a comparison of two pages comes to."""

from dataclasses import dataclass

from .changes import Finding, Level, worst
from .overlay import Misfitting


@dataclass(frozen=True)
class Fit:
    """Whether the corrections still apply to the page; a matter of its own, whatever the level is."""

    checked: bool = False
    misfits: tuple[Misfitting, ...] = ()
    lint: tuple[str, ...] = ()

    @property
    def fits(self) -> bool | None:
        """None when the page could not be read as a whole, so that nothing can be said."""
        return not (self.misfits or self.lint) if self.checked else None


@dataclass(frozen=True)
class Drift:
    """The findings, the worst first; where the page came from, and which links of it were followed."""

    findings: tuple[Finding, ...]
    fit: Fit = Fit()
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        return worst(self.findings)
