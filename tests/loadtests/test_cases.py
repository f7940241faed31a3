"""What is asked, of whom, and the origin that answers it."""

import shutil
from pathlib import Path

import pytest
from rig.cases import CASES, answer, origin
from rig.contenders import CONTENDERS

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def test_bars_are_about_peers_that_take_part() -> None:
    for name, case in CASES.items():
        assert {bar.name for bar in case.bars} <= set(case.peers), name
        assert {bar.beside for bar in case.bars} <= set(case.peers), name


def test_all_peers_are_known() -> None:
    assert {peer for case in CASES.values() for peer in case.peers} == set(CONTENDERS)


@pytest.mark.process
@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_origin_answers_every_case(tmp_path: Path) -> None:
    with origin(tmp_path, processes=2) as address:
        port = int(address.rpartition(":")[2])
        got = {name: answer(port, case.shape) for name, case in CASES.items()}
    assert got == {name: (200, case.answer) for name, case in CASES.items()}
