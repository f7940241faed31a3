import pytest

from proxy.config.reading import read
from proxy.control.acknowledging import Acknowledging
from proxy.control.release import template
from proxy.control.standing import Rollback, Standing
from proxy.rollout.rollout import Rollout

FILE = "services: {checkout: {stable: http://a, canary: http://b, weight: 20%}}"


class Workers:
    """What all workers use, and what is written down of it."""

    def __init__(self):
        self.generation = 0
        self.kept = []

    def everywhere(self, generation):
        return generation <= self.generation

    def beside(self, write, *args):
        write(*args)

    def keep(self, *args):
        self.kept.append(args)


@pytest.fixture
def workers():
    return Workers()


@pytest.fixture
def acknowledging(workers):
    return Acknowledging(workers, workers, workers.keep)


@pytest.fixture
def standing():
    config = read(FILE, "weir.yaml", {})
    file = config.services["checkout"]
    return Standing(template("checkout", file, config.timeouts, None), file, Rollout(revision=4))


def test_an_entry_is_complete_when_every_worker_uses_its_table(acknowledging, workers, standing):
    acknowledging.told(standing, 7, 1.0)
    assert repr(acknowledging) == "<Acknowledging, 1 entries on their way>"
    workers.generation = 6
    acknowledging.look(1.5)
    assert workers.kept == []
    workers.generation = 7
    acknowledging.look(2.0045)
    acknowledging.look(3.0)
    assert workers.kept == [("checkout", 4, 7, 1004.5)]


def test_a_rollback_is_timed_and_only_that(acknowledging, workers, standing, caplog):
    caplog.set_level("INFO")
    standing.rollback = Rollback(8, 2.0)
    acknowledging.told(standing, 7, 1.0)
    acknowledging.told(standing, 8, 2.0)
    workers.generation = 7
    acknowledging.look(2.001)
    assert standing.rollback.acknowledged_ms is None
    workers.generation = 8
    acknowledging.look(2.0045)
    assert standing.rollback.acknowledged_ms == 4.5
    assert [kept[2:] for kept in workers.kept] == [(7, 1001.0), (8, 4.5)]
    assert caplog.text.count("every worker has the rollback, after 4.5 ms") == 1
