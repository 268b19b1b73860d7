"""The residual network: an image's last feature, stored as plain arrays, read defensively."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from i2icli.detector.classifiers import Linear, Scaling
from i2icli.detector.detector import Detector
from i2icli.detector.explanation import explain
from i2icli.detector.residual import SMALLEST
from i2icli.detector.residual_net import MAX_DEPTH, MAX_WIDTH, ResidualNet
from i2icli.detector.traces import LENGTH
from i2icli.detector.view import View
from i2icli.errors import UserError
from tests.detector.images import photograph


@pytest.fixture
def net():
    torch.manual_seed(0)
    return ResidualNet((4, 6, 8)).eval().requires_grad_(False)


def with_net(net):
    """A detector that judges by the network alone."""
    shipped = Detector.shipped("traces")
    info = shipped.info.model_copy(update={"kind": "linear", "length": LENGTH + 1})
    weights = np.eye(LENGTH + 1)[-1]
    return replace(
        shipped,
        info=info,
        classifier=Linear(weights, 0.0),
        scaling=Scaling.identity(LENGTH + 1),
        floor=None,
        net=net,
    )


def test_the_score_is_the_mean_over_tiles(net):
    residuals = View(photograph(2, 160)).residuals
    (whole,) = residuals
    alone = net(whole[None])[0]
    assert net.score(residuals) == pytest.approx(float(alone))
    other = View(photograph(3, 160)).residuals
    assert net.score([*residuals, *other]) == pytest.approx((net.score(residuals) + net.score(other)) / 2)


@pytest.mark.parametrize(
    "change", [lambda p: p[..., :1], lambda p: p.astype(np.uint16) * 257, lambda p: p[:64, :64] * 0]
)
def test_scores_are_finite_for_all_kinds_of_images(net, change):
    assert np.isfinite(net.score(View(change(photograph(1))).residuals))


def test_a_lattice_can_be_learned(net):
    """Cells are seen in one phase: a lattice far below the content separates what it was added to."""
    rng = np.random.default_rng(0)
    cell = rng.normal(0, 4, (8, 8, 1))
    reals = [photograph(seed, 96) for seed in range(12)]
    fakes = [(each + np.tile(cell, (12, 12, 1))).clip(0, 255).astype(np.uint8) for each in reals]
    images = torch.stack([View(each).residuals[0] for each in (*fakes, *reals)])
    net.requires_grad_(True)
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(30):
        odds = net(images)
        loss = torch.nn.functional.softplus(torch.cat([-odds[:12], odds[12:]])).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(odds[:12].detach().min()) > float(odds[12:].detach().max())


def test_a_detector_with_a_network_is_saved_and_loaded(net, tmp_path):
    detector, pixels = with_net(net), photograph(4)
    assert detector.extract(pixels)[-1] == pytest.approx(net.score(View(pixels).residuals))
    detector.save(tmp_path / "own.safetensors")
    loaded = Detector.load(tmp_path / "own.safetensors")
    assert loaded.predict(pixels) == detector.predict(pixels)


def test_the_explanation_names_what_was_learned(net):
    info = with_net(net).info
    features = np.zeros(LENGTH + 1)
    assert "network" not in explain(info, features, 0.9, None)
    features[-1] = 2.5
    said = explain(info, features, 0.9, None)
    assert "fine detail like that of up-convolutions (log odds of the network: 2.5)" in said
    assert "network" not in explain(info, features, 0.1, None)
    assert "network" not in explain(info, features[:-1], 0.9, None)


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("convolutions.1.weight", np.zeros((6, 4, 5, 5), np.float32), "weight of shape"),
        ("last.bias", np.full(1, np.nan, np.float32), "last.bias that is not finite"),
        ("last.bias", np.full(1, 1e300), "last.bias that is not finite"),
        ("convolutions.0.bias", np.zeros(MAX_WIDTH + 1, np.float32), "biases of shape"),
        ("convolutions.2.bias", None, "2 convolutions"),
        ("last.weight", None, "last.weight"),
    ],
)
def test_damaged_networks_are_refused(net, tmp_path, name, array, said):
    class Damaged(ResidualNet):
        def arrays(self):
            return {key: each for key, each in (net.arrays() | {name: array}).items() if each is not None}

    with_net(Damaged()).save(tmp_path / "damaged.safetensors")
    with pytest.raises(UserError, match=f"damaged detector file.*{said}"):
        Detector.load(tmp_path / "damaged.safetensors")


def test_a_network_belongs_to_traces_and_to_their_length(net, tmp_path):
    profile = Detector.shipped("profile")
    for features in ("profile", "raw-profile"):
        info = profile.info.model_copy(update={"features": features})
        replace(profile, info=info, net=net).save(tmp_path / "profile.safetensors")
        with pytest.raises(UserError, match=f"a residual network for {features}"):
            Detector.load(tmp_path / "profile.safetensors")
    replace(with_net(net), net=None).save(tmp_path / "without.safetensors")
    with pytest.raises(UserError, match=f"{LENGTH + 1} features of traces"):
        Detector.load(tmp_path / "without.safetensors")


def test_the_deepest_network_sees_the_smallest_image(tmp_path):
    torch.manual_seed(0)
    smallest = View(photograph(5)[:SMALLEST, :SMALLEST])
    assert np.isfinite(ResidualNet([4] * MAX_DEPTH).score(smallest.residuals))
    with_net(ResidualNet([4] * (MAX_DEPTH + 1))).save(tmp_path / "deep.safetensors")
    with pytest.raises(UserError, match=f"{MAX_DEPTH + 1} convolutions"):
        Detector.load(tmp_path / "deep.safetensors")


def test_loading_leaves_random_numbers_alone(net):
    state = torch.get_rng_state()
    loaded = ResidualNet.from_arrays(net.arrays())
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(parameter.requires_grad or parameter.is_meta for parameter in loaded.parameters())
