"""The conditions of endpoints: by probes, by workers, and both together."""

import pytest

from proxy.config.reader import read
from proxy.control.managed_service import ManagedService
from proxy.control.views.endpoints import conditions, is_out, up
from proxy.rollout.rollout import Rollout
from proxy.settings.service import side, template

ONE, TWO, THREE = "http://one:1", "http://two:2", "http://three:3"
FILE = "services: {shop: {stable: [http://one:1, http://two:2], canary: http://three:3}}"


@pytest.fixture
def shop() -> ManagedService:
    config = read(FILE, "weir.yaml", {})
    file = config.services["shop"]
    state = Rollout(revision=1, stable=side(file.stable), canary=side(file.canary))
    return ManagedService(template("shop", file, config.timeouts, None), file, state)


def test_nothing_is_said_of_what_nothing_is_known_of(shop: ManagedService) -> None:
    assert conditions(shop, {}, {}, 2) == {}
    assert conditions(shop, {ONE: "alive", "http://other": "dead"}, {}, 2) == {ONE: "alive"}


@pytest.mark.parametrize(
    ("probed", "ejecting", "workers", "words", "out"),
    [
        ("", 2, 2, "ejected by 2 of 2 workers, because it failed", True),
        ("", 1, 1, "ejected by 1 of 1 worker, because it failed", True),
        ("alive", 2, 2, "ejected by 2 of 2 workers, because it failed", True),
        ("", 1, 2, "in service, but ejected by 1 of 2 workers, because it failed", False),
        ("alive", 1, 2, "alive, but ejected by 1 of 2 workers, because it failed", False),
        ("dead: refused", 2, 2, "dead: refused", True),
        ("dead", 0, 2, "dead", True),
        ("not known yet", 0, 2, "not known yet", False),
    ],
)
def test_an_endpoint_is_out_when_no_worker_sends_it_requests_and_up_when_all_do(
    shop: ManagedService, probed: str, ejecting: int, workers: int, words: str, out: bool
) -> None:
    probes = {TWO: probed} if probed else {}
    found = conditions(shop, probes, {TWO: ejecting} if ejecting else {}, workers)
    assert found == {TWO: words}
    assert is_out(words) == out
    assert up(shop, found) == {
        ("shop", "stable", ONE): True,
        ("shop", "stable", TWO): not out and not ejecting,
        ("shop", "canary", THREE): True,
    }
