"""Relative paths of the file start beside it, and come out absolute."""

from pathlib import Path

import pytest

from proxy.config.context import FileContext


@pytest.mark.parametrize(
    ("beside", "written", "found"),
    [
        ("/etc/weir", "shop.pem", "/etc/weir/shop.pem"),
        ("/etc/weir", "../shop.pem", "/etc/weir/../shop.pem"),
        ("/etc/weir", "/srv/shop.pem", "/srv/shop.pem"),
        ("conf", "shop.pem", str(Path("conf/shop.pem").absolute())),
        ("", "shop.pem", str(Path("shop.pem").absolute())),
    ],
)
def test_where_a_path_leads(beside: str, written: str, found: str) -> None:
    assert FileContext(Path(beside), str).place(written) == found
