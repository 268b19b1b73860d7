"""The spectrum's profile equals the reference's and tells smooth pictures from noisy ones."""

import pytest
import torch

from i2icli.nn.spectrum import azimuthal_average, grey, log_spectrum, spectral_distance, spectral_profile
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
    low, high = profile.min(), profile.max()
    torch.testing.assert_close(
        ((profile - low) / (high - low))[0], case.expected("profile_minmax"), atol=1e-5, rtol=1e-5
    )


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


def test_half_precision_pictures_are_measured_in_float32() -> None:
    assert spectral_profile(torch.rand(1, 16, 16).bfloat16()).dtype is torch.float32
