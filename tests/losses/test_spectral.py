"""Spectral regularisation: the reference values, and a gradient through the transform."""

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import avg_pool2d, binary_cross_entropy

from i2icli.losses.spectral import mean_spectral_loss, spectral_loss
from i2icli.nn.spectrum import grey, min_max_normalise, spectral_profile
from tests.parity import cases


def test_the_loss_equals_the_reference() -> None:
    case = cases.read("upconv", "spectral_loss")
    fake, real = case.given("fake"), case.given("real")
    for name, images in (("fake", fake), ("real", real)):
        profile = min_max_normalise(spectral_profile(grey(images)))
        torch.testing.assert_close(profile, case.expected(f"profile_{name}"), atol=5e-5, rtol=1e-4)
    cases.assert_loss(spectral_loss(fake, real), case.expected("paper.freq_loss_batch_mean_target"))


def test_the_mean_over_pairs_is_the_loss_against_the_mean() -> None:
    """Linear in the reals, so the mean of a batch is an unbiased estimate of that of all data."""
    case = cases.read("upconv", "spectral_loss")
    fake, real = case.given("fake"), case.given("real")
    one_by_one = torch.stack([spectral_loss(fake[i : i + 1], real[i : i + 1]) for i in range(len(fake))])
    cases.assert_loss(one_by_one.mean(), case.expected("paper.freq_loss_pairwise"))
    against_each = torch.stack([spectral_loss(fake, real[i : i + 1]) for i in range(len(real))])
    cases.assert_loss(against_each.mean(), spectral_loss(fake, real))


def test_the_published_order_of_its_arguments() -> None:
    """The published code swaps fakes and reals, and multiplies by the other loss."""
    case = cases.read("upconv", "spectral_loss")
    fake, real = case.given("fake"), case.given("real")
    pairs = [spectral_loss(real[i : i + 1], fake[i : i + 1]) for i in range(len(fake))]
    published = torch.stack(pairs).mean()
    cases.assert_loss(published, case.expected("code.freq_loss"))
    adversarial = case.given("adversarial_loss")
    expected = case.expected("code.generator_loss")
    candidates = (adversarial + 1e-5 * published * adversarial, adversarial + 1e-5 * published)
    assert any(torch.allclose(each, expected, rtol=1e-5) for each in candidates)


@pytest.mark.parametrize("cut", [0.0, 0.5])
@pytest.mark.parametrize("loss", [spectral_loss, mean_spectral_loss])
def test_gradients_equal_finite_differences(loss: Callable[..., torch.Tensor], cut: float) -> None:
    torch.manual_seed(0)
    fake = (torch.rand(2, 3, 13, 12, dtype=torch.float64) * 2 - 1).requires_grad_()
    real = torch.rand(3, 3, 13, 12, dtype=torch.float64) * 2 - 1
    assert torch.autograd.gradcheck(lambda images: loss(images, real, cut), (fake,))
    loss(fake, real, cut).backward()
    assert fake.grad is not None
    assert fake.grad.abs().max() > 1e-4


def clouds(number: int, side: int) -> torch.Tensor:
    """Clouds, (number, 1, side, side): amplitudes fall with frequency, as in photographs."""
    frequency = torch.fft.fftfreq(side)
    radius = torch.hypot(frequency[:, None], frequency[None]).clamp_min(1 / side)
    clouds = torch.fft.ifft2(torch.fft.fft2(torch.randn(number, 1, side, side)) / radius).real
    return clouds / clouds.abs().amax((2, 3), keepdim=True)


def test_the_mean_loss_is_minimal_for_real_images_whatever_their_variation() -> None:
    torch.manual_seed(0)
    real = clouds(64, 32)
    real, others = real[::2], real[1::2]
    alike = others[:1].expand(32, -1, -1, -1)
    blurred = avg_pool2d(others, 3, stride=1, padding=1)
    least = mean_spectral_loss(real, real)
    found = mean_spectral_loss(others, real) - least
    assert 0 <= found < 1e-3
    assert all(mean_spectral_loss(other, real) - least > 10 * found for other in (alike, blurred))


def test_a_missing_frequency_has_a_bounded_gradient() -> None:
    torch.manual_seed(0)
    real, transform = clouds(4, 32), torch.fft.rfft2(clouds(4, 32))
    transform[..., 9, 4] = 1e-6
    fake = torch.fft.irfft2(transform)
    largest = []
    for loss in (spectral_loss, mean_spectral_loss):
        given = fake.clone().requires_grad_()
        loss(given, real).backward()
        assert given.grad is not None
        largest.append(float(given.grad.abs().max()))
    assert largest[0] > 100 * largest[1]


def test_a_uniform_fake_has_a_bounded_gradient() -> None:
    """Below the rounding noise of 8-bit pixels there is nothing to learn."""
    torch.manual_seed(0)
    real = clouds(4, 32)
    largest = []
    for fake in (torch.full_like(real, 0.3) + 1e-6 * torch.randn_like(real), clouds(4, 32)):
        given = fake.requires_grad_()
        mean_spectral_loss(given, real).backward()
        assert given.grad is not None
        largest.append(float(given.grad.abs().max()))
    assert largest[0] < 1000 * largest[1]  # without a floor: ten million times


def test_gradient_descent_restores_the_spectrum_of_blurred_images() -> None:
    torch.manual_seed(0)
    real = clouds(16, 32)
    blurred = avg_pool2d(clouds(16, 32), 3, stride=1, padding=1).requires_grad_()
    target = min_max_normalise(spectral_profile(grey(real))).mean(0)

    def gap() -> torch.Tensor:
        profile = min_max_normalise(spectral_profile(grey(blurred.detach()))).mean(0)
        return (profile - target).square().mean().sqrt()

    before = gap()
    optimizer = torch.optim.Adam([blurred], lr=0.003)
    for _ in range(150):
        optimizer.zero_grad()
        spectral_loss(blurred, real).backward()
        optimizer.step()
    assert gap() < 0.5 * before


def test_only_frequencies_above_the_cut_matter() -> None:
    torch.manual_seed(0)
    fake, real = torch.rand(2, 2, 3, 64, 64)
    target, predicted = (
        min_max_normalise(spectral_profile(grey(real))).mean(0),
        min_max_normalise(spectral_profile(grey(fake))),
    )
    upper = binary_cross_entropy(predicted[:, 32:], target[32:].expand(2, -1))
    torch.testing.assert_close(spectral_loss(fake, real, 0.75), upper, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", [spectral_loss, mean_spectral_loss])
def test_uniform_and_black_images_have_finite_losses_and_gradients(loss: Callable[..., torch.Tensor]) -> None:
    fake = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)]).requires_grad_()
    found = loss(fake, torch.rand(2, 3, 16, 16))
    found.backward()
    assert torch.isfinite(found)
    assert fake.grad is not None
    assert torch.isfinite(fake.grad).all()


def test_half_precision_is_widened() -> None:
    fake = torch.rand(2, 3, 16, 16).bfloat16()
    assert spectral_loss(fake, torch.rand(2, 3, 16, 16)).dtype is torch.float32
