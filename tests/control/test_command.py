from proxy.control.command import UNORDERED, OrderTerms


def test_an_order_has_no_conditions_unless_it_names_them() -> None:
    assert OrderTerms("because", "ann") == OrderTerms("because", "ann", if_match=None, key="", digest="")


def test_what_control_does_by_itself_is_its_own() -> None:
    assert OrderTerms(actor="weir") == UNORDERED
