"""A config file is read with the same words, whichever verb asks for it."""

from pathlib import Path

import pytest

from proxy.cli.configfile import error_text, load, load_or_exit, refuse
from proxy.config.problems import Problems


def test_a_good_file_is_its_text_and_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "weir.yaml"
    file.write_text("services: {shop: {stable: 'http://${HOST}:9001'}}\n")
    monkeypatch.setenv("HOST", "10.0.0.7")
    text, config = load(str(file))
    assert text == file.read_text()
    assert [str(each) for each in config.services["shop"].stable.endpoints] == ["http://10.0.0.7:9001"]
    assert load_or_exit(str(file)) == (text, config)


def test_problems_are_printed_where_they_stand_and_end_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "weir.yaml"
    file.write_text("services: {shop: {stabel: http://a}}\n")
    with pytest.raises(Problems) as caught:
        load(str(file))
    with pytest.raises(SystemExit) as ended:
        load_or_exit(str(file))
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", error_text(str(file), caught.value) + "\n")
    assert f"{file}:1:" in err


def test_a_file_that_is_not_there_is_named_with_what_writes_one(tmp_path: Path) -> None:
    source = str(tmp_path / "weir.yaml")
    with pytest.raises(FileNotFoundError) as caught:
        load(source)
    said = error_text(source, caught.value)
    assert said.startswith(f"{source}: error: no such file or directory; `weir init` writes one, and ")


def test_one_that_cannot_be_read_is_not_advised_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        load(str(tmp_path))
    assert error_text(str(tmp_path), caught.value) == f"{tmp_path}: error: is a directory"


def test_a_refusal_goes_to_stderr_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        refuse("no")
    assert ended.value.code == 2
    assert capsys.readouterr() == ("", "no\n")
