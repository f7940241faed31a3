"""`weir demo`."""

import click


@click.command()
@click.option("--ci", is_flag=True, help="Without a terminal, in some twenty seconds; the exit code judges.")
def demo(ci: bool) -> None:
    """Watch a good canary being promoted and a bad one rolled back, on this machine and on loopback only.

    Three sample services, made-up customers and the real proxy; on a terminal it stays up until Ctrl-C.
    Exit code 0 when v2 was promoted and v3 rolled back, 1 when not.
    """
    # Imported here: the overview of the verbs must not load an HTTP client.
    from proxy.demo.run import run

    raise SystemExit(run(quick=ci))
