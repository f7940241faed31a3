"""The command `python -m proxy.cli`, the same as `weir` where that script is not on the path."""

from proxy.cli import main

main(prog_name="weir")
