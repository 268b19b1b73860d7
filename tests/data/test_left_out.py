"""What is no image is counted by kind, with what to do; junk and hidden files are not."""

from pathlib import Path

import pytest

from i2icli.data.left_out import left_out
from i2icli.errors import UserError
from i2icli.image.finding import collect, find_images
from tests.data.files import fill


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_files_are_counted_by_kind_with_the_reason(tmp_path: Path) -> None:
    fill(tmp_path, "1.png")
    touch(tmp_path, "a.CR2", "b.nef", "a.mp4", "b.MOV", "deep/c.mkv", "notes.txt", "x.psd", "y.xyz", "README")
    touch(
        tmp_path,
        ".hidden.txt",
        ".DS_Store",
        "Thumbs.db",
        "__MACOSX/2.jpg",
        ".ipynb_checkpoints/1-checkpoint.png",
    )
    assert left_out([collect(tmp_path)]) == (
        "2 camera raw files (convert them to TIFF), 1 image of another format (convert them to PNG or TIFF), "
        "1 text file, 3 videos (i2i video), 1 .xyz file, "
        "1 file without a suffix"
    )
    assert left_out([collect(tmp_path / "deep")]) == "1 video (i2i video)"
    assert find_images(tmp_path) == [tmp_path / "1.png"]


def test_subfolders_that_are_not_wanted_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "deep/2.png", "deep/deeper/3.png")
    found = collect(tmp_path, recursive=False)
    assert found.images == (tmp_path / "1.png",)
    assert left_out([found]) == "1 subfolder (--recursive)"


def test_what_cannot_be_looked_into_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "1.png", "private/2.png")
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "nothing").symlink_to("gone")
    (tmp_path / "loop.png").symlink_to("loop.png")  # an image by its name fails when it is read
    _close(tmp_path / "private", monkeypatch)
    found = collect(tmp_path, complete=False)
    assert [path.name for path in found.images] == ["1.png", "loop.png"]
    assert [path.name for path in found.broken] == ["itself", "nothing", "private"]
    itself, nothing, private = found.broken.values()
    assert itself == f"{tmp_path / 'itself'}: a link to itself"
    assert nothing.startswith(f"{tmp_path / 'nothing'}: a link to nothing")
    assert private == f"cannot open {tmp_path / 'private'}: permission denied"
    with pytest.raises(UserError, match=r"cannot open .*private: permission denied"):
        collect(tmp_path)


def test_a_subfolder_that_vanishes_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "1.png", "gone/2.png", "here/3.png")
    stat = Path.stat

    def vanishing(path: Path, **more: bool) -> object:
        if path.name == "gone":
            raise FileNotFoundError(2, "No such file or directory")
        return stat(path, **more)

    monkeypatch.setattr(Path, "stat", vanishing)
    found = collect(tmp_path, complete=False)
    assert [path.name for path in found.images] == ["1.png", "3.png"]
    assert list(found.broken) == [tmp_path / "gone"]


def _close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without the permission to read, which the administrator always has."""
    import os

    scandir = os.scandir

    def scanned(path: Path) -> object:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scanned)


@pytest.mark.parametrize("installed", [True, False])
def test_formats_of_libraries_that_are_not_there_are_left_out(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "1.png")
    touch(tmp_path, "a.HEIC", "b.heif")
    monkeypatch.setattr("i2icli.image.walking._is_installed", lambda _: installed)
    found = collect(tmp_path)
    assert len(found.images) == (3 if installed else 1)
    assert left_out([found]) == ("" if installed else "2 HEIC files (pip install 'i2icli[heic]')")


def test_a_folder_without_images_says_what_is_in_it(tmp_path: Path) -> None:
    from i2icli.data.layouts import recognise

    touch(tmp_path, "a.mp4", "notes.txt")
    with pytest.raises(UserError, match=r"\(found 1 text file, 1 video \(i2i video\), e.g. a.mp4\)"):
        recognise([tmp_path], pairs=False)
