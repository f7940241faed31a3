import asyncio
from pathlib import Path

import pytest

from proxy.config.diff import Changes
from proxy.config.problems import Problems
from proxy.config.schema import Config
from proxy.control.config_file import ConfigFiles, Reloader
from proxy.control.errors import Unreadable
from proxy.ledger.errors import NotDurable

GOOD = "services: {shop: {stable: http://a}}\n"
OTHER = "services: {shop: {stable: http://b}}\n"


class Stage:
    """A file, its copy, and who puts it in force."""

    def __init__(self, directory: Path) -> None:
        self.file, self.kept = directory / "weir.yaml", directory / "private" / "config.yaml"
        self.kept.parent.mkdir()
        self.accepted = self.kept.with_name("accepted.yaml")
        self.file.write_text(GOOD)
        self.kept.write_text(GOOD)
        self.put = []
        self.time = 100.0
        self.failure = None
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.files = ConfigFiles("weir.yaml", self.kept, str(self.file))
        self.reloading = Reloader(self.files, self.put_in_force, lambda: self.time)

    async def put_in_force(self, config: Config) -> Changes:
        self.reached.set()
        await self.open.wait()
        if self.failure:
            raise self.failure
        self.put.append(config.services["shop"].stable.endpoints)
        return Changes({"shop": ("stable",)}, restart=("listen",))

    def state(self) -> tuple[bool, float]:
        return self.reloading.successful, self.reloading.at


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_a_good_file_is_put_in_force_and_becomes_the_copy(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    assert stage.state() == (True, 100.0)
    stage.file.write_text(OTHER)
    stage.time = 200.0
    changes = await stage.reloading.reload()
    assert changes.services == {"shop": ("stable",)}
    assert stage.put == [("http://b",)]
    assert (stage.kept.read_text(), stage.accepted.read_text()) == (GOOD, OTHER)
    assert stage.files.in_force().services["shop"].stable.endpoints == ("http://b",)
    assert stage.state() == (True, 200.0)
    assert {path.name for path in stage.kept.parent.iterdir()} == {"config.yaml", "accepted.yaml"}
    assert "a restart is needed for changes of listen" in caplog.text


async def test_a_bad_file_changes_nothing(stage: Stage) -> None:
    stage.file.write_text("services: {shop: {stabel: http://b}}\n")
    stage.time = 200.0
    with pytest.raises(Problems, match=r"weir\.yaml:1:19: error: `stabel`"):
        await stage.reloading.reload()
    assert (stage.put, stage.accepted.exists(), stage.state()) == ([], False, (False, 100.0))
    stage.file.write_text(GOOD)
    await stage.reloading.reload()
    assert stage.state() == (True, 200.0)


async def test_a_file_that_is_gone_changes_nothing(stage: Stage) -> None:
    stage.file.unlink()
    with pytest.raises(Unreadable, match=r"weir\.yaml can't be read: no such file.*what is in force stays"):
        await stage.reloading.reload()
    assert (stage.put, stage.state()) == ([], (False, 100.0))


async def test_what_is_not_put_in_force_is_not_kept(stage: Stage) -> None:
    stage.file.write_text(OTHER)
    stage.failure = NotDurable("the disk is full")
    with pytest.raises(NotDurable):
        await stage.reloading.reload()
    assert (stage.accepted.exists(), stage.state()) == (False, (False, 100.0))


async def test_a_copy_that_cannot_be_kept_lets_nothing_change(stage: Stage) -> None:
    stage.accepted.with_suffix(".new").mkdir()
    with pytest.raises(NotDurable, match=r"a copy of weir\.yaml can't be kept: Is a directory$"):
        await stage.reloading.reload()
    assert stage.put == []


async def test_what_is_fixed_since_the_start_survives_the_restart_of_control(stage: Stage) -> None:
    stage.kept.write_text("admin: {token: the-token-of-the-start}\nworkers: 2\n" + GOOD)
    stage.file.write_text("admin: {token: another-token-by-now}\nworkers: 5\nlog: {level: debug}\n" + OTHER)
    await stage.reloading.reload()
    found = stage.files.in_force()
    assert (found.admin.token, found.workers, found.log.level) == ("the-token-of-the-start", 2, "info")
    assert found.services["shop"].stable.endpoints == ("http://b",)


async def test_a_token_file_that_comes_later_is_read_as_lint_reads_it(stage: Stage) -> None:
    stage.file.write_text("admin: {token_file: token.txt}\n" + OTHER)
    with pytest.raises(Problems, match="the token file"):
        await stage.reloading.reload()
    (stage.file.parent / "token.txt").write_text("a-token-of-its-own")
    stage.files = ConfigFiles(str(stage.file), stage.kept, str(stage.file))
    await Reloader(stage.files, stage.put_in_force).reload()
    assert stage.files.in_force().admin.token is None, "before the next start there is none"


async def test_without_a_file_there_is_nothing_to_reload(stage: Stage) -> None:
    bare = Reloader(ConfigFiles("command line", stage.kept), stage.put_in_force)
    with pytest.raises(Unreadable, match="runs without a config file"):
        await bare.reload()
    assert repr(bare) == "<Reloader command line, failed>"


async def test_one_at_a_time_and_the_second_reads_the_file_again(stage: Stage) -> None:
    stage.open.clear()
    first = asyncio.create_task(stage.reloading.reload())
    second = asyncio.create_task(stage.reloading.reload())
    await stage.reached.wait()
    stage.file.write_text(OTHER)
    stage.open.set()
    await asyncio.gather(first, second)
    assert stage.put[-1] == ("http://b",)
    assert len(stage.put) == 2


async def test_while_one_is_under_way_the_last_one_still_counts(stage: Stage) -> None:
    stage.open.clear()
    reloading = asyncio.create_task(stage.reloading.reload())
    await stage.reached.wait()
    assert stage.reloading.successful, "or whoever looks now would raise an alarm"
    stage.open.set()
    await reloading


async def test_a_signal_is_answered_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await stage.reloading.on_signal()
    assert "the config was reloaded: shop: stable changed" in caplog.text
    stage.file.write_text("services: {}\n")
    await stage.reloading.on_signal()
    assert (
        "the config was not reloaded, and nothing was changed: weir.yaml:1:1: error: there are no"
        in caplog.text
    )
