"""pix2pixHD's styles: clusters of the features of each class, drawn by a code or chosen by name."""

import numpy as np
import pytest
import torch

from i2icli.classes import LabelClass, LabelSet
from i2icli.errors import UserError
from i2icli.request import Request
from i2icli.systems.pix2pixhd.chosen_styles import NONE, ChosenStyles
from i2icli.systems.pix2pixhd.clusters import Samples, k_means
from i2icli.systems.pix2pixhd.styles import Styles
from i2icli.training.run import build_system
from tests.asking import arrays, encoded
from tests.tiny import tiny_config
from tests.training.synthetic import batches

NAMES = LabelSet(tuple(LabelClass(10 * index, name) for index, name in enumerate(("sky", "car", "tree"))))


# -- clusters --------------------------------------------------------------------------------------


def test_k_means_finds_separate_groups_the_largest_first() -> None:
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]], dtype=torch.float64)
    sizes = (20, 50, 30)
    points = torch.cat([
        centre + 0.1 * torch.randn(size, 2, dtype=torch.float64)
        for centre, size in zip(centres, sizes, strict=True)
    ])  # fmt: skip
    found = k_means(points[torch.randperm(100)], 3)
    assert (found - centres[[1, 2, 0]]).abs().max() < 0.1


def test_k_means_draws_nothing_from_the_outside_and_gives_the_same_again() -> None:
    points = torch.rand(300, 3, dtype=torch.float64)
    torch.manual_seed(1)
    first = k_means(points, 10)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    assert torch.equal(first, k_means(points, 10))


@pytest.mark.parametrize("count", [0, 1, 4])
def test_there_are_no_more_clusters_than_different_samples(count) -> None:
    points = torch.arange(float(count))[:, None].repeat(2, 3)  # each twice
    assert len(k_means(points, 5)) == count


def test_a_sample_is_the_mean_of_a_region_and_counts_if_the_region_is_large() -> None:
    labels = torch.zeros(1, 1, 8, 16, dtype=torch.int64)  # 128 pixels: regions of more than 2 count
    labels[..., 0, :3] = 1
    labels[..., 7, :2] = 1
    labels[..., 4, 4] = 2
    regions = labels.clone()
    regions[..., 7, :2] = 9  # another car, too small
    samples = Samples()
    features = torch.randn(1, 2, 8, 16)
    samples.add(features, labels, regions)
    torch.testing.assert_close(samples.of_class(1), features[..., 0, :3].mean(-1).double())
    torch.testing.assert_close(samples.of_class(2), features[..., 4, 4].double())  # better than none
    assert len(samples.of_class(3)) == 0


# -- drawing and choosing --------------------------------------------------------------------------


def styles() -> Styles:
    """Classes of 2, 3, 1 and no styles; feature k of class c is 10 c + k."""
    found = Styles(4, 3, 1)
    found.cluster_counts.copy_(torch.tensor([2, 3, 1, 0]))
    found.clusters.copy_(torch.arange(4)[:, None, None] * 10.0 + torch.arange(3)[:, None])
    return found


FOUR = [f"{index} {index}" for index in range(4)]  # the classes of the synthetic batches
MAP = torch.tensor([[0, 0, 1], [1, 2, 3]])[None, None]


def test_a_code_s_numbers_choose_among_the_clusters_of_their_class() -> None:
    codes = torch.tensor([[-3.0, -3.0, -3.0], [3.0, 0.0, 3.0]])  # one number for each class that has a name
    numbers = styles().draw(MAP, codes, None)
    assert numbers[:, 0].tolist() == [[[0, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 0, 0]]]
    features = styles().features(MAP, numbers)
    assert features[1, 0].tolist() == [[1.0, 1.0, 11.0], [11.0, 20.0, 30.0]]


def test_instances_of_a_class_differ_and_do_not_depend_on_others() -> None:
    labels = torch.ones(1, 1, 1, 300, dtype=torch.int64)
    ids = torch.arange(26_000, 26_300)[None, None, None]
    code = torch.zeros(1, 3)
    numbers = styles().draw(labels, code, ids)
    shares = torch.bincount(numbers.flatten()) / 300
    assert shares.tolist() == pytest.approx([1 / 3] * 3, abs=0.02)
    assert torch.equal(styles().draw(labels[..., 7:9], code, ids[..., 7:9]), numbers[..., 7:9])


def test_a_style_is_chosen_by_class_or_by_instance() -> None:
    ids = np.array([[0, 0, 5], [6, 0, 0]])[None, None]
    style = {"Car": "3", "instance:6": "1", "sky": "random"}
    chosen = ChosenStyles(style, NAMES, [2, 3, 1, 0])
    with pytest.raises(UserError, match="--style random needs a latent code; leave out --reference"):
        chosen.check_nothing_drawn()
    assert chosen.over(MAP.numpy(), ids)[0, 0].tolist() == [[NONE, NONE, 2], [0, NONE, NONE]]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("bus", "1", ["--style bus=1", "unknown class 'bus'", "sky, car, tree"]),
        ("car", "4", ["--style car=4", "car has the styles 1 to 3", "random"]),
        ("car", "0", ["--style car=0", "from 1"]),
        ("car", "red", ["--style car=red", "number of a style"]),
        ("instance:blue", "1", ["instance:blue=1", "id of an instance"]),
        ("instance:7", "1", ["instance:7=1", "no such id", "0, 5, 6"]),
        ("instance:5", "4", ["instance:5=4", "car has the styles 1 to 3"]),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_can(name, value, words) -> None:
    ids = np.array([[0, 0, 5], [6, 0, 0]])[None, None]
    with pytest.raises(UserError) as refused:
        ChosenStyles({name: value}, NAMES, [2, 3, 1, 0]).over(MAP.numpy(), ids)
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_an_instance_needs_an_instance_map() -> None:
    chosen = ChosenStyles({"instance:7": "1"}, NAMES, [2, 3, 1, 0])
    with pytest.raises(UserError, match="there is no instance map"):
        chosen.over(MAP.numpy(), None)


# -- in the system ---------------------------------------------------------------------------------


@pytest.fixture
def system():
    """Trained on nothing, but with clusters."""
    found = build_system("pix2pixhd", tiny_config("pix2pixhd", classes=FOUR)).eval()
    found.clock.stage = found.config.stages()[-1]
    with torch.no_grad():
        found.finish([batch(number) for number in range(3)])
    return found


def batch(number: int = 0):
    found = batches("pix2pixhd", 1)
    stage = tiny_config("pix2pixhd").stages()[-1]
    return next(found(stage, number))


def features(system, given, **request):
    task = system.config.tasks(system.clock.stage)[0]
    inputs = arrays({name: given[name] for name in ("labels", "instances")})
    request = {
        name: each.numpy() if isinstance(each, torch.Tensor) else each for name, each in request.items()
    }
    with torch.inference_mode():
        return encoded(system, task, Request(inputs, **request, facts=system.facts))["features"]


def test_finishing_fills_buffers_of_fixed_shape_that_are_published(system) -> None:
    state = system.get_submodule("styles").state_dict()
    assert "styles" in system.inference_modules
    assert state["clusters"].shape == (5, 3, 3)  # four classes and no class, three clusters of three numbers
    assert state["cluster_counts"].tolist() == [3, 3, 3, 3, 0]


def test_a_photo_gives_the_features_that_its_encoder_finds(system) -> None:
    given = batch()
    found = features(system, given, reference=given["image"])
    with torch.inference_mode():
        assert torch.equal(found, system._features_of(given["image"], given))


def test_a_chosen_style_wins_over_a_photo_s(system) -> None:
    given = batch()
    own = features(system, given, reference=given["image"])
    found = features(system, given, reference=given["image"], style={"2": "1"})
    here = (given["labels"] == 2).expand_as(own)
    assert torch.equal(found[~here], own[~here])
    assert torch.equal(found.movedim(1, -1)[here[:, 0]].unique(dim=0), system.styles.clusters[2, :1])


def test_one_code_serves_several_maps(system) -> None:
    maps = [{name: batch(number)[name] for name in ("labels", "instances")} for number in (0, 1)]
    both = {name: torch.cat([each[name] for each in maps]) for name in maps[0]}
    code = torch.linspace(-2, 2, 4)[None]
    together = features(system, both, latent=code)
    assert torch.equal(together, torch.cat([features(system, each, latent=code) for each in maps]))


def test_several_codes_give_several_styles_of_one_map(system) -> None:
    codes = torch.randn(3, 4)
    found = features(system, batch(), latent=codes)
    assert found.shape == (3, 3, 32, 32)
    for code, row in zip(codes, found, strict=True):
        assert torch.equal(features(system, batch(), latent=code[None])[0], row)


@pytest.mark.parametrize("side", [16, 40])
def test_a_photo_of_another_size_is_refused(system, side) -> None:
    with pytest.raises(UserError, match=f"reference of {side}x{side} px does not fit the label map of 32x32"):
        features(system, batch(), reference=torch.zeros(1, 3, side, side))


def test_a_photo_is_padded_as_its_map_was(system) -> None:
    assert features(system, batch(), reference=torch.zeros(1, 3, 31, 30)).shape == (1, 3, 32, 32)


def test_a_random_style_beside_a_photo_is_refused(system) -> None:
    with pytest.raises(UserError, match="leave out --reference"):
        features(system, batch(), reference=batch()["image"], style={"2": "random"})


def test_features_reach_the_generator_but_not_the_discriminators() -> None:
    configs = [tiny_config("pix2pixhd", features=each, classes=FOUR) for each in ("none", "class")]
    plain, styled = (build_system("pix2pixhd", config) for config in configs)
    assert plain.inference_modules == styled.inference_modules
    stems = [system.get_submodule("G.small.stem.conv").in_channels for system in (plain, styled)]
    assert stems == [5, 8]
    assert len({system.D.scales[0].stem.in_channels for system in (plain, styled)}) == 1
    assert not [*plain.E.parameters(), *plain.styles.buffers()]
