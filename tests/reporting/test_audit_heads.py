from __future__ import annotations

from pathlib import Path

from upath import UPath

from genesys_cloud.reporting.audit_heads import FOLDER, publish


def test_each_head_is_a_file_that_is_not_written_again(tmp_path: Path) -> None:
    publish(tmp_path / "exports", f"7:{'a' * 64}", 7)
    publish(tmp_path / "exports", f"12:{'b' * 64}", 12)
    publish(tmp_path / "exports", f"7:{'f' * 64}", 7)
    found = {file.name: file.read_text() for file in (tmp_path / "exports" / FOLDER).iterdir()}
    assert found == {
        "000000000007.txt": f"7:{'a' * 64}\n",
        "000000000012.txt": f"12:{'b' * 64}\n",
    }


def test_an_object_store_takes_them_too(tmp_path: Path) -> None:
    root = UPath(f"memory://{tmp_path}")
    publish(root, f"7:{'a' * 64}", 7)
    assert (root / FOLDER / "000000000007.txt").read_bytes() == f"7:{'a' * 64}\n".encode()
