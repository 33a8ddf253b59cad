"""Commands run in the tests: what they say, and what they leave on the disk."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Run = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """Exit code and text of one command."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The text on stderr as one line."""
        return " ".join(self.err.split())

    def check_refusal(self, *parts: str) -> None:
        """Exit code 2 and one paragraph that holds all parts."""
        assert self.code == 2, self
        assert self.message.startswith("error: ")
        assert "\n\n" not in self.err.strip()
        assert "Traceback" not in self.err
        # The rule, the value and the remedy.
        assert re.search(r"; got .+\. [A-Z]\w+", self.message)
        for part in parts:
            assert part in self.message


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder: bytes of files, None for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
