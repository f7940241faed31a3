"""Signals that ask a verb to end while it must not be cut off."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Signals:
    """SIGINT and SIGTERM, which are noted and cut nothing off: an order on its way arrives."""

    def __init__(self) -> None:
        self.first: signal.Signals | None = None
        """The one that came first."""

    def __repr__(self) -> str:
        return f"<Signals: {self.first.name if self.first else 'none'}>"

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        self.first = self.first or signal.Signals(number)

    @contextmanager
    def noted(self) -> Iterator["Signals"]:
        """Note signals within, but those that this process was told to ignore."""
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        heeded = {each: action for each, action in before.items() if action is not signal.SIG_IGN}
        for each in heeded:
            signal.signal(each, self.note)
        try:
            yield self
        finally:
            for each, action in heeded.items():
                signal.signal(each, action)
