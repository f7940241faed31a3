"""The entry of a worker process."""

import runpy
import sys

import pytest


def test_it_sees_to_its_memory_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr("proxy.child.lifeline.die_with_parent", lambda: done.append("parent"))
    monkeypatch.setattr("proxy.worker.allocator.keep_what_is_freed", lambda: done.append("memory"))
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(sys, "argv", ["proxy.worker"])
    with pytest.raises(SystemExit):
        runpy.run_module("proxy.worker", run_name="__main__")
    assert done == ["parent", "memory"]
