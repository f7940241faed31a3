"""The settings of every worker: what the file defines for them beside the services."""

from proxy.config.schema import Config
from proxy.link.messages import Settings


def settings(config: Config) -> Settings:
    """Return the settings as the message that workers are sent."""
    limits = config.limits
    return Settings(
        header=config.timeouts.header,
        idle=config.timeouts.idle,
        access=config.log.access,
        line=limits.line,
        head=limits.head,
        fields=limits.fields,
        connections=limits.connections,
        pool_idle=config.pool.idle,
        max_idle=config.pool.max_idle,
        pool_age=config.pool.age,
        trusted=config.trusted_proxies,
        via=config.via,
        forwarded=config.forwarded,
    )
