from tests.rollout.diagram import ARCHITECTURE, BEGIN, END, diagram, within


def test_the_diagram_in_the_architecture_is_that_of_the_table() -> None:
    text = ARCHITECTURE.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert within(text) == text, "run python tests/rollout/diagram.py"


def test_it_shows_each_way_once() -> None:
    lines = diagram().splitlines()
    assert "    paused --> rolled_back: abort, trip" in lines
    ends = [line.partition(":")[0] for line in lines]
    assert len(ends) == len(set(ends))
