"""`python -m proxy.cli` is `weir`, for places where the script is not on the path."""

from proxy.cli import main

main(prog_name="weir")
