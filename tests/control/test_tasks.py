import asyncio

from proxy.control.tasks import Tasks


async def forever():
    await asyncio.get_running_loop().create_future()


async def test_tasks_run_until_they_are_cancelled():
    tasks = Tasks()
    task = tasks.spawn("tick", forever())
    tasks.spawn("probe", forever())
    assert repr(tasks) == "<Tasks probe, tick>"
    await tasks.cancel()
    assert task.cancelled()
    assert (tasks.running, repr(tasks)) == (frozenset(), "<Tasks none>")


async def test_a_task_that_ends_is_forgotten_and_breaks_nothing():
    broken = []
    tasks = Tasks(lambda: broken.append(True))

    async def nothing():
        pass

    await tasks.spawn("ask for shop", nothing())
    await asyncio.sleep(0)
    assert (tasks.running, broken) == (frozenset(), [])


async def test_a_task_that_fails_breaks_control_and_is_named(caplog):
    broken = asyncio.Event()
    tasks = Tasks(broken.set)

    async def fail():
        raise RuntimeError("a surprise")

    tasks.spawn("tick", fail())
    await broken.wait()
    assert "control is broken and ends: its task tick failed" in caplog.text
    assert "a surprise" in caplog.text
