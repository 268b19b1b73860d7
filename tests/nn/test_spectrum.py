"""The spectrum's profile equals the reference's and tells smooth images from noisy ones."""

import numpy as np
import pytest
import torch

from i2icli.nn.spectrum import (
    azimuthal_average,
    central_third,
    features_of,
    grey,
    log_spectrum,
    min_max_normalise,
    num_rings,
    profile_of,
    relative_to_first,
    resampled,
    spectral_distance,
    spectral_profile,
)
from tests.parity import cases


@pytest.mark.parametrize("name", cases.names("upconv", "profile_"))
def test_profiles_equal_the_references(name: str) -> None:
    case = cases.read("upconv", name)
    brightness = case.given("gray").double()[None]
    torch.testing.assert_close(
        log_spectrum(brightness)[0], case.expected("log_magnitude").double(), atol=5e-5, rtol=1e-4
    )
    profile = spectral_profile(brightness)
    torch.testing.assert_close(profile[0], case.expected("profile"), atol=1e-5, rtol=1e-5)
    plain = azimuthal_average(brightness)
    torch.testing.assert_close(plain[0], case.expected("profile_of_plain_image"), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(
        min_max_normalise(profile)[0], case.expected("profile_minmax"), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("name", cases.names("upconv", "profile_"))
@pytest.mark.parametrize("length", [80, 88, 300])
def test_what_the_published_detectors_read(name: str, length: int) -> None:
    case = cases.read("upconv", name)
    levels = case.given("gray").numpy()
    np.testing.assert_allclose(
        resampled(profile_of(levels), length), case.expected(f"interpolated_{length}"), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(features_of(levels, length), case.expected(f"feature_{length}"), rtol=1e-5)


@pytest.mark.parametrize(
    "size", [(1, 9), (2, 2), (3, 3), (4, 7), (8, 8), (9, 9), (30, 1), (17, 32), (32, 17)]
)
def test_half_a_transform_is_enough(size: tuple[int, int]) -> None:
    levels = torch.rand(2, *size, dtype=torch.float64)
    expected = azimuthal_average(log_spectrum(levels))
    torch.testing.assert_close(spectral_profile(levels), expected)
    assert expected.shape == (2, num_rings(*size))
    assert torch.isfinite(expected).all()


def test_rings_made_in_inference_serve_in_training() -> None:
    with torch.inference_mode():
        spectral_profile(torch.rand(1, 11, 13))
    image = torch.rand(1, 11, 13, requires_grad=True)
    spectral_profile(image).sum().backward()
    assert image.grad is not None


def test_a_spline_goes_through_a_cubic_exactly() -> None:
    places = np.linspace(0, 1, 7)
    cubic = 2 * places**3 - places**2 + 3
    finer = np.linspace(0, 1, 20)
    np.testing.assert_allclose(resampled(cubic, 20), 2 * finer**3 - finer**2 + 3, rtol=1e-12)
    assert resampled(np.ones((3, 2, 5)), 9).shape == (3, 2, 9)


def test_too_few_rings_are_refused() -> None:
    assert num_rings(8, 8) == 3
    with pytest.raises(ValueError, match="4 values, not 3"):
        features_of(np.eye(8) * 255, 80)


def test_the_middle_third_of_a_frame() -> None:
    assert central_third(np.zeros((90, 120))).shape == (30, 40)
    assert central_third(np.arange(7)[:, None] * np.ones(5)).tolist() == [[2] * 3, [3] * 3, [4] * 3]


def test_relative_profiles_begin_at_one() -> None:
    np.testing.assert_allclose(relative_to_first(np.array([[2.0, 1.0], [4.0, 8.0]])), [[1, 0.5], [1, 2]])


def test_a_flat_profile_is_normalised_to_zeros() -> None:
    assert min_max_normalise(torch.full((1, 4), 7.0)).tolist() == [[0.0] * 4]


def test_a_profile_has_a_value_for_every_ring() -> None:
    assert spectral_profile(torch.rand(2, 128, 128)).shape == (2, 88)
    assert spectral_profile(torch.rand(1, 1024, 1024)).shape == (1, 722)


def test_images_of_a_batch_are_treated_by_themselves() -> None:
    images = torch.rand(3, 20, 31)
    together = spectral_profile(images)
    torch.testing.assert_close(together[1:2], spectral_profile(images[1:2]))


def test_gradients_equal_finite_differences() -> None:
    image = torch.rand(1, 9, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(spectral_profile, (image,))


def test_distance_is_the_gain_of_amplitude() -> None:
    image = torch.rand(2, 3, 32, 32)
    assert torch.allclose(spectral_distance(image, image), torch.zeros(2))
    expected = torch.full((2,), 20 * torch.log(torch.tensor(2.0)).item())
    torch.testing.assert_close(spectral_distance(2 * image, image), expected, atol=1e-3, rtol=1e-4)


def test_smoothing_is_far_from_the_truth_where_noise_is_near() -> None:
    truth, other = torch.rand(2, 1, 1, 64, 64)
    smooth = torch.nn.functional.avg_pool2d(truth, 5, stride=1, padding=2)
    assert spectral_distance(other, truth) < 0.3 * spectral_distance(smooth, truth)


def test_brightness_weighs_the_colours() -> None:
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1
    torch.testing.assert_close(grey(red), torch.full((1, 2, 2), 0.2989))
    assert grey(torch.ones(2, 1, 4, 5)).shape == (2, 4, 5)


def test_half_precision_images_are_measured_in_float32() -> None:
    assert spectral_profile(torch.rand(1, 16, 16).bfloat16()).dtype is torch.float32
    images = torch.rand(2, 3, 16, 16).bfloat16()
    assert torch.equal(grey(images), grey(images.float()))
