"""What the file defines for workers beside the services."""

from proxy.config.reader import read
from proxy.link.messages import Settings
from proxy.settings.worker import settings


def test_everything_in_the_file_beside_the_services_reaches_the_workers() -> None:
    written = """
timeouts: {header: 3s, idle: 4s}
log: {access: json}
limits: {line: 1KiB, head: 2KiB, fields: 3, connections: 4}
pool: {idle: 5s, max_idle: 6, age: 90s}
trusted_proxies: [10.0.0.0/8, unix]
via: on
forwarded: on
services: {a: {stable: http://a}}
"""
    assert settings(read(written, "weir.yaml", {})) == Settings(
        header=3.0,
        idle=4.0,
        access="json",
        line=1024,
        head=2048,
        fields=3,
        connections=4,
        pool_idle=5.0,
        max_idle=6,
        pool_age=90.0,
        trusted=("10.0.0.0/8", "unix"),
        via=True,
        forwarded=True,
    )


def test_what_the_file_leaves_out_is_what_the_data_plane_takes_for_granted() -> None:
    told = settings(read("services: {a: {stable: http://a}}", "weir.yaml", {}))
    assert (told.line, told.head, told.fields) == (16 * 1024, 64 * 1024, 200)
    assert (told.pool_idle, told.max_idle, told.pool_age) == (4.0, 64, 60.0)
    assert (told.connections, told.trusted, told.via, told.forwarded) == (None, (), False, False)
