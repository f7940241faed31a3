"""Errors of the ledger, in words for the person who has to act on them."""


class LedgerError(Exception):
    """The ledger failed. `detail` has the reason, and what stays in force."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotDurable(LedgerError):
    """The ledger cannot be written, so a weight may not rise (HTTP 503); nothing was changed."""


class LedgerUnusable(LedgerError):
    """The ledger cannot be opened at all; `detail` names its path. The program does not start."""
