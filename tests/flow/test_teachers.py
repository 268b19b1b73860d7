"""Teachers of optical flow: direction, accuracy, small frames, threads, weights that are not there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from i2icli.errors import UserError
from i2icli.flow.teachers import teacher
from tests.flow.scenes import moved, texture


def test_flow_points_from_the_current_to_the_previous_frame():
    previous = texture(64, 96)
    current = moved(previous, 3.0, -2.0)
    flow = teacher("dis")(current, previous)
    assert flow.shape == (64, 96, 2)
    assert flow.dtype == np.float32
    inside = flow[12:-12, 12:-12]
    assert np.abs(inside - [-3.0, 2.0]).mean() < 0.1


@pytest.mark.parametrize("size", [(12, 40), (16, 256), (8, 8), (1, 100), (12, 512), (33, 31)])
def test_small_and_flat_frames_do_not_end_the_process(size: tuple[int, int]):
    frame = texture(*size)
    flow = teacher("dis")(frame, frame)
    assert flow.shape == (*size, 2)
    assert np.abs(flow).max() < 0.2


def test_the_same_in_any_thread():
    pairs = [(texture(48, 64, seed), texture(48, 64, seed + 1)) for seed in range(6)]
    dis = teacher("dis")
    alone = [dis(*pair) for pair in pairs]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda pair: dis(*pair), pairs * 2))
    assert all(np.array_equal(first, second) for first, second in zip(alone * 2, together, strict=True))


def test_frames_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match="frames of"):
        teacher("dis")(texture(40, 40), texture(40, 48))


def test_raft_without_weights_says_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"raft_large_C_T_SKHT_V2-ff5fadd5\.pth.*TORCH_HOME.*dis") as caught:
        teacher("raft")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_raft_refuses_what_is_no_raft(tmp_path: Path):
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("executed",)

    other, evil, damaged = (tmp_path / name for name in ("other.pth", "evil.pth", "raft.pth"))
    torch.save([torch.zeros(2)], other)
    torch.save(Evil(), evil)
    damaged.write_bytes(b"PK nothing")
    for path, expected in ((other, "not the weights"), (evil, "not a readable"), (damaged, "not a readable")):
        with pytest.raises(UserError, match=expected):
            teacher("raft", path)
    with pytest.raises(UserError, match="no such file"):
        teacher("raft", tmp_path / "missing.pth")


def test_raft_checks_the_published_file(tmp_path: Path):
    path = tmp_path / "raft_small_C_T_V2-01064c6d.pth"
    path.write_bytes(b"half of it")
    with pytest.raises(UserError, match="damaged"):
        teacher("raft", path)


@pytest.mark.slow
def test_raft_reads_weights_of_its_shapes_and_any_size(tmp_path: Path):
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    path = tmp_path / "own.pth"
    torch.save(raft_small().state_dict(), path)
    frame = texture(40, 57)
    flow = teacher("raft", path)(frame, moved(frame, 1, 0))
    assert flow.shape == (40, 57, 2)
    assert np.isfinite(flow).all()
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="not the weights"):
        teacher("raft", path)


def test_unknown_teachers_and_useless_weights_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="dis, raft"):
        teacher("flownet2")
    with pytest.raises(UserError, match="DIS has no weights"):
        teacher("dis", tmp_path)
