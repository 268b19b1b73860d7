"""Of damaged files all that can be read is delivered, and the damage is reported by frame number."""

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.video import Damage, open_source
from tests.video import films


def delivered(path, **words):
    source = open_source(str(path))
    with source.frames(**words) as frames:
        return [(frame.index, frame.item.read().pixels, frame.damaged) for frame in frames], source.damage


def test_an_intact_file_reports_nothing(tmp_path):
    frames, damage = delivered(films.film(tmp_path / "a.mp4", 40, words=films.B_FRAMES))
    assert len(frames) == 40
    assert not damage


def test_damaged_frames_are_named_and_delivered(tmp_path):
    intact, _ = delivered(films.film(tmp_path / "b.mp4", 40, words=(*films.X264, "-g", "10", "-bf", "0")))
    frames, damage = delivered(films.damaged(tmp_path / "a.mp4"))
    assert [index for index, _, _ in frames] == list(range(40))
    different = [
        i for i, (a, b) in enumerate(zip(intact, frames, strict=True)) if not np.array_equal(a[1], b[1])
    ]
    assert damage.frames == [index for index, _, damaged in frames if damaged] == different[:1] != []
    assert f"frame {different[0]} is damaged (" in damage.text()


def test_lost_frames_leave_their_numbers_free(tmp_path):
    frames, damage = delivered(films.damaged(tmp_path / "a.mp4", at=0.3, length=400))
    numbers = [index for index, _, _ in frames]
    assert damage.lost == sorted(set(range(40)) - set(numbers)) != []
    assert len(numbers) < 40
    assert damage.text().startswith(f"frame {damage.lost[0]} is lost")
    for index, pixels, _ in frames[20:]:  # behind the next keyframe all is well
        assert films.number(pixels) == index
    [(index, _, _), *_], _ = delivered(tmp_path / "a.mp4", after=24)
    assert index == 25


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_a_truncated_file_is_read_to_its_end(tmp_path, suffix):
    words = films.VP9 if suffix == "webm" else films.X264
    path = films.truncated(films.film(tmp_path / f"a.{suffix}", 40, words=words))
    frames, damage = delivered(path)
    assert 10 < len(frames) < 40
    assert [films.number(pixels) for _, pixels, _ in frames] == list(range(len(frames)))
    assert "File ended prematurely" in damage.text()


def test_a_file_of_which_nothing_can_be_decoded_is_refused(tmp_path):
    path = films.film(tmp_path / "a.mkv", 3, words=("-c:v", "ffv1", "-slicecrc", "1"), pixel_format="bgr0")
    data = bytearray(path.read_bytes())
    data[900:-400] = bytes(len(data) - 1300)
    path.write_bytes(data)
    with pytest.raises(UserError, match="cannot read") as caught:
        delivered(path)
    assert caught.value.exit_code == 1


def test_many_messages_stay_few():
    damage = Damage(frames=[1, 2, 3, 7, *range(10, 60, 2)], lost=[90])
    assert damage.text() == (
        "frames 1 to 3, 7, 10, 12, 14, 16, 18, 20 and 19 more are damaged, frame 90 is lost"
    )
