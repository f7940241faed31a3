"""SIGINT and SIGTERM: noted, and cutting nothing off."""

import os
import signal

from proxy.cli.signals import Signals


def test_signals_are_noted_and_cut_nothing_off() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals().noted() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.first == signal.SIGTERM
        assert repr(signals) == "<Signals: SIGTERM>"
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_signals_that_are_to_be_ignored_are_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals().noted() as signals:
            os.kill(os.getpid(), signal.SIGINT)
            assert signals.first is None
    finally:
        signal.signal(signal.SIGINT, before)
