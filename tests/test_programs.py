"""Compiled programs on disk: found again by another process, never used when they are not what is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from backfill import kept, programs

MATRIX, RIGHT = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([9.0, 8.0])


def solved(times: float, given: dict[str, jax.Array]) -> tuple[jax.Array, None, jax.Array]:
    return times * jnp.linalg.solve(given["matrix"], given["right"]), None, given["right"].sum()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "_folder", tmp_path)
    forget(monkeypatch)
    return tmp_path


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_in_memory", {})


def call(times: float) -> tuple:
    given = {"matrix": MATRIX, "right": RIGHT}
    return programs.program(solved, (times,), given)(given)


def test_program_is_read_again_and_returns_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch):
    first = call(2.0)
    np.testing.assert_allclose(first[0], [4.0, 6.0], rtol=1e-15)
    assert (first[1], first[2], first[0].dtype) == (None, 17, np.float64)
    assert len(list(folder.iterdir())) == 2
    forget(monkeypatch)
    monkeypatch.setattr(programs, "_lowered", lambda *_: pytest.fail("traced again"))
    np.testing.assert_array_equal(call(2.0)[0], first[0])


def test_settings_tell_programs_apart(folder: Path):
    np.testing.assert_allclose(call(2.0)[0], 2 * call(1.0)[0], rtol=1e-15)
    assert len(list(folder.iterdir())) == 4


def test_other_source_that_lowers_to_the_same_is_not_compiled_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    first = call(1.0)
    forget(monkeypatch)
    monkeypatch.setattr(programs, "source", lambda: "another")
    call(1.0)
    assert len(list(folder.iterdir())) == 3
    np.testing.assert_array_equal(call(1.0)[0], first[0])


def test_what_a_program_does_not_use_tells_it_apart(folder: Path):
    first = call(1.0)
    given = {"matrix": MATRIX, "right": RIGHT, "unused": RIGHT}
    np.testing.assert_array_equal(programs.program(solved, (1.0,), given)(given)[0], first[0])


def test_program_compiled_beside_jax_own_cache_can_be_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """JAX cannot serialise an executable that it read from its cache."""
    call(1.0)
    for file in folder.iterdir():
        file.unlink()
    for _ in range(2):
        forget(monkeypatch)
        np.testing.assert_allclose(call(1.0)[0], [2.0, 3.0], rtol=1e-15)


@pytest.mark.parametrize("content", [b"", b"not a program", None])
def test_spoilt_files_are_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None):
    call(1.0)
    before = {file: file.read_bytes() for file in folder.iterdir()}
    for file, whole in before.items():
        file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    forget(monkeypatch)
    np.testing.assert_allclose(call(1.0)[0], [2.0, 3.0], rtol=1e-15)
    assert all(file.stat().st_size > len(whole) // 2 for file, whole in before.items())


def test_program_used_least_recently_leaves_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "_folder", None)
    monkeypatch.setattr(programs, "MOST_IN_MEMORY", 2)
    forget(monkeypatch)
    for times in (1.0, 2.0, 1.0, 3.0):
        call(times)
    assert [key[1] for key in programs._in_memory] == [(1.0,), (3.0,)]


def test_programs_of_a_function_leave_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "_folder", None)
    forget(monkeypatch)
    call(1.0)
    programs.forget(test_programs_of_a_function_leave_memory)
    assert len(programs._in_memory) == 1
    programs.forget(solved)
    assert not programs._in_memory
    np.testing.assert_allclose(call(1.0)[0], [2.0, 3.0], rtol=1e-15)


def test_folder_that_cannot_be_written_to_does_no_harm(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "file").touch()
    monkeypatch.setattr(kept, "_folder", folder / "file")
    np.testing.assert_allclose(call(1.0)[0], [2.0, 3.0], rtol=1e-15)


def test_oldest_files_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "MOST_FILES", 2)
    for times in (1.0, 2.0, 3.0):
        call(times)
    assert len(list(folder.iterdir())) == 2


def test_fresh_process_can_run_what_it_reads(tmp_path: Path):
    """A program that calls LAPACK crashes where its routines have not been looked up."""
    line = f"""
import numpy as np
from pathlib import Path
from backfill import kept, programs
from tests.test_programs import call
kept.keep_in(Path({str(tmp_path)!r}))
print(call(1.0)[0].tolist())
"""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", line], capture_output=True, text=True, cwd=Path(__file__).parents[1]
        )
        assert (done.returncode, done.stdout.strip()) == (0, "[2.0, 3.0]"), done.stderr


def test_what_was_used_is_remembered_by_what_it_was_for(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def used(*names: str) -> None:
        monkeypatch.setattr(programs, "_used", dict.fromkeys(names))

    def early(*about: str) -> list[str]:
        monkeypatch.setattr(programs, "_early", {})
        programs.prepare(*about)
        return list(programs._early)

    used("one")
    programs.remember("run", "first")
    used("another")
    programs.remember("run", "second")
    assert early("run", "first") == ["one"]
    assert early("run", "second") == early("run", "new") == early() == ["another"]


def test_what_an_earlier_command_prepared_in_vain_is_dropped(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "_early", {})
    for command, names in (("run", ("one", "another")), ("design", ("third",))):
        monkeypatch.setattr(programs, "_used", dict.fromkeys(names))
        programs.remember(command)
    programs.prepare("run")
    assert list(programs._early) == ["one", "another"]
    programs.prepare("design")
    assert list(programs._early) == ["third"]
