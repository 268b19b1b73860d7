"""Latent codes as users ask for them: repeatable, of the right size, on the arc interpolate_codes two."""

import numpy as np
import pytest

from i2icli.errors import UserError
from i2icli.inference.latents import draw_codes, interpolate_codes, parse_codes


def test_the_first_codes_are_the_same_whatever_the_count():
    few, many = draw_codes(2, 20, seed=3), draw_codes(7, 20, seed=3)
    assert np.array_equal(few, many[:2])
    assert not np.array_equal(few, draw_codes(2, 20, seed=4))
    assert not np.array_equal(many[0], many[1])


def test_codes_are_read_from_numbers_arrays_and_files(tmp_path):
    np.save(tmp_path / "codes.npy", np.arange(6, dtype=np.float64).reshape(2, 3))
    assert np.array_equal(parse_codes("0.5,-1,2", 3), np.array([[0.5, -1, 2]]))
    assert np.array_equal(parse_codes(np.ones(3), 3), np.ones((1, 3)))
    assert np.array_equal(parse_codes(tmp_path / "codes.npy", 3), np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    ("latent", "complaint"),
    [
        ("1,2", "a code of 2 numbers; this model reads 3"),
        ("1,x,3", "expected numbers like"),
        ("nowhere.npy", r"cannot be read \(No such file or directory\)"),
        ("1,nan,3", "not finite"),
        ("1e300,0,0", "not finite"),
    ],
)
def test_unusable_codes_are_refused_in_one_line(latent, complaint):
    with pytest.raises(UserError, match=rf"--latent {latent}: .*{complaint}"):
        parse_codes(latent, 3)


def test_an_array_of_objects_is_never_unpickled(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="cannot be read"):
        parse_codes(tmp_path / "evil.npy", 1)


def test_the_way_between_codes_keeps_their_length():
    codes = np.array([[3.0, 0.0], [0.0, 3.0], [0.0, -3.0]])
    way = interpolate_codes(codes, 5)
    assert way.shape == (9, 2)
    assert np.array_equal(way[0], codes[0])
    assert np.allclose(way[4], codes[1], atol=1e-6)
    assert np.allclose(way[-1], codes[2], atol=1e-6)
    assert np.allclose(np.linalg.norm(way[:5], axis=1), 3)
    assert np.allclose(way[2], 3 / 2**0.5)


@pytest.mark.parametrize("codes", [np.empty((0, 3)), np.ones((1, 3), complex), np.ones((1, 1, 3))])
def test_arrays_that_are_no_codes_are_refused(codes):
    with pytest.raises(UserError, match="no latent code"):
        parse_codes(codes, 3)


def test_files_that_are_no_arrays_are_refused_and_cost_no_memory(tmp_path):
    (tmp_path / "empty.npy").touch()
    with (tmp_path / "archive.npy").open("wb") as file:
        np.savez(file, np.ones(3))
    head = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    with (tmp_path / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
    np.save(tmp_path / "odd.npy", np.ones(3))
    odd = (tmp_path / "odd.npy").read_bytes()
    (tmp_path / "odd.npy").write_bytes(odd.replace(b"(3,)", b"((3,"))
    for name in ("empty", "archive", "huge", "odd"):
        with pytest.raises(UserError, match="cannot be read"):
            parse_codes(tmp_path / f"{name}.npy", 3)
