"""The one error of the pipeline."""

from collections.abc import Iterable


class SpecError(Exception):
    """The pipeline cannot go on; the text lists every problem found at this stage, one a line."""

    def __init__(self, stage: str, problems: Iterable[str]) -> None:
        self.stage, self.problems = stage, tuple(problems)
        super().__init__("\n  ".join((f"{stage}:", *self.problems)))
