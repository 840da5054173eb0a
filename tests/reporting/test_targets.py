"""Places for partitions: refused early, replaced whole, and the same on an object store."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from upath import UPath

from genesys_cloud.errors import ExportTargetError
from genesys_cloud.reporting import local_swap
from genesys_cloud.reporting.targets import (
    check_target,
    partition_of,
    read_manifest,
    staging,
)
from tests.simulator.server import PATIENCE_S

DAY = date(2024, 1, 15)


@pytest.fixture(params=["local", "store"])
def root(request, tmp_path):
    return tmp_path if request.param == "local" else UPath(f"memory://{tmp_path}")


def put(root, text):
    with staging(root, DAY) as directory:
        (directory / "manifest.json").write_text(text)


def break_off(root):
    with staging(root, DAY) as directory:
        (directory / "manifest.json").write_text("half")
        raise RuntimeError("broke")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_published_files_are_in_the_partition_of_the_day(root):
    put(root, "one")
    place = partition_of(root, DAY)
    assert (root / "deliveries" / "date=2024-01-15" / "manifest.json").read_text() == "one"
    assert names(place) == ["manifest.json"]
    assert names(root / "deliveries") == ["date=2024-01-15"]


def test_second_publication_replaces_the_first(root):
    put(root, "one")
    put(root, "two")
    assert (partition_of(root, DAY) / "manifest.json").read_text() == "two"
    assert names(root / "deliveries") == ["date=2024-01-15"]


def test_failure_keeps_the_old_partition_and_leaves_nothing(root):
    put(root, "one")
    with pytest.raises(RuntimeError, match="broke"):
        break_off(root)
    assert (partition_of(root, DAY) / "manifest.json").read_text() == "one"
    assert names(root / "deliveries") == ["date=2024-01-15"]


def test_check_leaves_nothing_behind(root):
    check_target(root)
    folder = root / "deliveries"
    assert not folder.exists() or names(folder) == []


def test_file_in_the_way_is_named_with_the_cure(tmp_path):
    (tmp_path / "exports").write_text("a file")
    with pytest.raises(ExportTargetError, match=r"exports/deliveries.*GENESYS_EXPORT_URL"):
        check_target(tmp_path / "exports")


def test_any_exception_of_a_store_becomes_a_target_error(root, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("no credentials")

    monkeypatch.setattr(type(root / "deliveries"), "mkdir", refuse)
    with pytest.raises(ExportTargetError, match="no credentials"):
        check_target(root)


def test_manifest_of_a_new_day_is_none(root):
    assert read_manifest(root, DAY) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"revision": "x"}'])
def test_broken_manifest_is_an_error_that_names_it(root, text):
    put(root, text)
    with pytest.raises(ExportTargetError, match=r"date=2024-01-15/manifest\.json is not"):
        read_manifest(root, DAY)


def test_store_gets_the_manifest_last(tmp_path):
    opened = []

    class Recorder:
        def __init__(self, path):
            self.path = path

        def __truediv__(self, name):
            return Recorder(self.path / name)

        def mkdir(self, **options):
            self.path.mkdir(**options)

        def open(self, mode):
            opened.append(self.path.name)
            return self.path.open(mode)

    with staging(Recorder(tmp_path), DAY) as directory:
        for name in ("manifest.json", "report.html", "deliveries.csv"):
            (directory / name).write_text(name)
    assert opened == ["deliveries.csv", "report.html", "manifest.json"]


def test_partition_is_as_readable_as_any_directory(tmp_path):
    put(tmp_path, "one")
    (tmp_path / "plain").mkdir()
    modes = {os.stat(path).st_mode for path in (tmp_path / "plain", partition_of(tmp_path, DAY))}
    assert len(modes) == 1


def test_reader_never_sees_a_partition_without_its_manifest(tmp_path):
    put(tmp_path, "0")
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(partition_of(tmp_path, DAY) / "manifest.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "ready\n"
    for number in range(200):
        put(tmp_path, str(number))
    seen, _ = reader.communicate("\n", timeout=PATIENCE_S)
    assert seen == "0\n"


READER = """
import select, sys
misses = 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    try:
        misses += open(sys.argv[1]).read() == ""
    except FileNotFoundError:
        misses += 1
print(misses)
"""


def test_swap_works_where_the_system_has_no_exchange(tmp_path, monkeypatch):
    monkeypatch.setattr(local_swap.ctypes, "CDLL", lambda *_, **__: object())
    put(tmp_path, "one")
    put(tmp_path, "two")
    assert (partition_of(tmp_path, DAY) / "manifest.json").read_text() == "two"
    assert names(tmp_path / "deliveries") == ["date=2024-01-15"]


def test_old_partition_comes_back_where_the_second_rename_fails(tmp_path, monkeypatch):
    put(tmp_path, "one")
    monkeypatch.setattr(local_swap.ctypes, "CDLL", lambda *_, **__: object())
    rename = Path.rename

    def refuse_new(self, target):
        if (self / "manifest.json").read_text() == "two":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(OSError, match="no"):
        put(tmp_path, "two")
    assert (partition_of(tmp_path, DAY) / "manifest.json").read_text() == "one"
    assert names(tmp_path / "deliveries") == ["date=2024-01-15"]


def test_directory_of_a_killed_build_is_removed_by_the_next(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -9
    assert len(names(tmp_path / "deliveries")) == 1
    put(tmp_path, "one")
    assert names(tmp_path / "deliveries") == ["date=2024-01-15"]


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from genesys_cloud.reporting.targets import staging
with staging(Path(sys.argv[1]), date(2024, 1, 15)):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_directory_of_a_living_build_is_left_alone(tmp_path):
    with staging(tmp_path, DAY) as first:
        put(tmp_path, "second")
        assert first.is_dir()
        (first / "manifest.json").write_text("first")
    assert (partition_of(tmp_path, DAY) / "manifest.json").read_text() == "first"


# Airflow itself still uses the pattern class that pathspec has renamed.
@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")
def test_airflow_paths_serve_as_root(tmp_path):
    import fsspec
    from airflow.sdk import ObjectStoragePath
    from airflow.sdk.io import attach

    attach("memory", fs=fsspec.filesystem("memory"))
    store = ObjectStoragePath(f"memory://airflow-{tmp_path.name}/exports")
    for root in (ObjectStoragePath(tmp_path.as_uri()), ObjectStoragePath(str(tmp_path)), store):
        check_target(root)
        put(root, '{"revision": 3}')
        assert read_manifest(root, DAY) == {"revision": 3}
    assert names(tmp_path / "deliveries") == ["date=2024-01-15"]
