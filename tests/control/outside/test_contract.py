import asyncio

from proxy.control.outside.contract import ALONE
from proxy.telemetry.control_metrics import Operations


async def test_where_nobody_is_outside_everybody_agrees() -> None:
    assert await ALONE.respondents.canary(None) == ""
    assert await ALONE.respondents.hook(None, {}) == ""


def test_where_nobody_is_outside_nothing_is_counted_and_nothing_known() -> None:
    asyncio.run(ALONE.run(None))
    ALONE.watch(None)
    ALONE.forget("shop")
    ALONE.notify(None, None, None)
    assert (ALONE.operations(), ALONE.conditions("shop")) == (Operations(), {})
