"""The verb `weir demo`."""

import click


@click.command()
@click.option("--ci", is_flag=True, help="Plain output and an end after about twenty seconds, for scripts.")
def demo(ci: bool) -> None:
    """Watch a good canary being promoted and a bad one rolled back, on this machine and on loopback only.

    It runs three versions of a sample, made-up customers and the real proxy. On a terminal it stays up until
    Ctrl-C. Exit codes: 0 v2 was promoted and v3 rolled back, 1 anything else, 2 usage.
    """
    # Imported here: the overview of the verbs must not load an HTTP client.
    from proxy.demo.run import run

    raise SystemExit(run(quick=ci))
