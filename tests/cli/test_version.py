"""`weir version`."""

import platform

from click.testing import CliRunner

from proxy import __version__
from proxy.cli.version import version


def test_it_names_itself_and_the_python_that_runs_it() -> None:
    result = CliRunner().invoke(version)
    assert result.exit_code == 0
    assert result.output == f"weir {__version__} (Python {platform.python_version()})\n"
