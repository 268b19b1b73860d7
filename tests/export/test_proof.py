"""That a proof fails where it should: what a runtime gives is made up here."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from i2icli.errors import UserError
from i2icli.export.axes import BATCH, REFERENCE_HEIGHT, REFERENCE_WIDTH
from i2icli.export.content import GivenImages, Noise, Scenes
from i2icli.export.examples import sides_of
from i2icli.export.judging import judge
from i2icli.export.parts import parts_of
from i2icli.export.proof import Proof, _compare, prove, trials_of
from i2icli.graphs.metadata import OUTPUT
from tests.export.models import lively


@pytest.fixture(scope="module")
def pix2pix():
    """A system and its only part."""
    system = lively("pix2pix", depth=2)
    return system, parts_of(system, system.config.tasks(system.clock.stage))[-1]


def proven(pix2pix, change, *, exact=True):
    """The proof of a runtime that computes what the system computes, and then changes it."""
    system, part = pix2pix

    def run(arrays):
        with torch.no_grad():
            found = part.compute(system, {name: torch.from_numpy(each) for name, each in arrays.items()})
        return {name: change(each.numpy()) for name, each in found.items()}

    return prove(part, system, run, list(trials_of(part, Scenes())), exact=exact)


def test_what_is_equal_is_proven_with_its_numbers(pix2pix):
    proof = proven(pix2pix, lambda output: output)
    text = judge(proof, pix2pix[1], "fp32", force=False)
    assert text.startswith("proven: largest difference 0 ")
    assert 0 < proof.floor < 1e-4
    facts = proof.facts()
    assert facts["difference"] == 0
    assert facts["psnr"] is None  # of equal images there is none
    assert facts["images"] == "drawn scenes"
    assert facts["trials"][:2] == ["1x16x16 noise", "3x28x20 noise"]


def test_a_difference_beyond_rounding_fails(pix2pix):
    def worse(output):
        changed = output.copy()
        changed[..., -1, -1] += 0.001
        return changed

    with pytest.raises(
        UserError, match=r"proof failed: 'forward' differs by up to 0\.001, \d+\.\d times"
    ) as failed:
        judge(proven(pix2pix, worse), pix2pix[1], "fp32", force=True)
    assert failed.value.exit_code == 1
    judge(proven(pix2pix, lambda output: output + np.float32(2e-5)), pix2pix[1], "fp32", force=False)


def test_what_is_no_number_fails(pix2pix):
    with pytest.raises(UserError, match=r"'forward' is not a number"):
        judge(proven(pix2pix, lambda output: output * np.float32("nan")), pix2pix[1], "fp32", force=False)


def test_another_shape_or_type_is_an_error(pix2pix):
    with pytest.raises(UserError, match=r"output came as .*expected torch\.float32 \(1, 3, 16, 16\)"):
        proven(pix2pix, lambda output: output[..., 1:])
    with pytest.raises(UserError, match=r"came as torch\.float64"):
        proven(pix2pix, lambda output: output.astype(np.float64))


def test_outputs_that_are_all_alike_prove_nothing(pix2pix):
    _, part = pix2pix
    still = lively("pix2pix", depth=2)
    for weight in still.parameters():
        weight.mul_(1e-3)
    proof = proven((still, part), lambda output: output)
    with pytest.raises(UserError, match=r"hardly vary.*prove nothing"):
        judge(proof, part, "fp32", force=False)


def test_one_colour_everywhere_proves_nothing(pix2pix):
    def of_one_colour(arrays):
        return {"output": np.array([-1, 0, 1], np.float32)[None, :, None, None] + 0 * arrays["image"]}

    _, part = pix2pix
    constant = replace(
        part,
        compute=lambda _, given: {
            "output": torch.tensor([-1.0, 0, 1]).to(given["image"])[:, None, None] + 0 * given["image"]
        },
    )
    proof = prove(constant, pix2pix[0], of_one_colour, list(trials_of(part, Scenes())), exact=True)
    assert proof.difference == 0
    with pytest.raises(UserError, match=r"hardly vary.*prove nothing"):
        judge(proof, constant, "fp32", force=False)


def test_references_are_of_sizes_that_were_not_traced():
    system = lively("augmented_cyclegan")
    task = next(each for each in system.config.tasks(system.clock.stage) if each.reference is not None)
    part = next(each for each in parts_of(system, [task]) if each.name.startswith("encode"))
    traced, _ = part.examples.traced_sizes()
    for trial in trials_of(part, Scenes()):
        for side in (REFERENCE_HEIGHT, REFERENCE_WIDTH):
            assert trial.sizes[side] != traced[side]
            assert (
                trial.sizes[side]
                in part.draw(system, trial.sizes, trial.content, trial.seed)["reference"].shape
            )


def test_lower_precision_is_measured_on_images_and_bounded(pix2pix):
    coarse = proven(pix2pix, lambda output: np.round(output * 20) / np.float32(20), exact=False)
    text = judge(coarse, pix2pix[1], "half", force=True)
    assert text.startswith("accurate to 4")
    assert "dB on drawn scenes, spectral distance" in text
    with pytest.raises(
        UserError, match=r"--half loses too much: accurate to 4\d\.\d dB.* at least 45 dB.*--force"
    ):
        judge(coarse, pix2pix[1], "half", force=False)
    assert judge(coarse, pix2pix[1], "int8", force=False) == text


def test_the_smallest_size_and_unseen_batches_are_tried(pix2pix):
    _, part = pix2pix
    traced, _ = part.examples.traced_sizes()
    tried = [trial.sizes for trial in trials_of(part, Scenes())]
    assert {sizes[BATCH] for sizes in tried} == {1, 3}
    assert traced[BATCH] not in {1, 3}
    smallest = sides_of(part.examples.task).smallest
    assert (tried[0]["height"], tried[0]["width"]) == (smallest, smallest)


def test_given_images_are_read_as_the_task_reads_them(pix2pix, tmp_path):
    from PIL import Image

    port = next(iter(pix2pix[1].examples.task.inputs.values()))
    Image.fromarray(np.full((9, 7, 3), 255, np.uint8)).save(tmp_path / "a.png")
    content = GivenImages.of_folder(tmp_path, "--images")
    found = content.array(port, (16, 24), 5)
    assert found.shape == (1, 3, 16, 24)
    assert found.dtype == np.float32
    assert found.min() == found.max() == 1
    with pytest.raises(UserError, match=r"--images .*none: no such folder"):
        GivenImages.of_folder(tmp_path / "none", "--images")


@pytest.mark.parametrize("content", [Scenes(), Noise(np.random.default_rng(0))])
def test_label_maps_are_drawn_as_ids(content):
    ports = lively("spade", num_levels=1).config.label_inputs()
    labels, instances = (content.array(ports[name], (16, 24), 0) for name in ("labels", "instances"))
    assert labels.shape == instances.shape == (1, 1, 16, 24)
    assert labels.dtype == np.int64
    assert 0 <= labels.min() < labels.max() < ports["labels"].channels


def test_rounding_excuses_no_more_than_a_level_and_only_of_its_own_output():
    proof, far = Proof(), torch.full((1, 3, 8, 8), 0.5)
    _compare(proof, "memory", (1e3 * far).numpy(), 1e3 * far, (1e3 * far + 20).double())
    _compare(proof, OUTPUT, (far + 0.001).numpy(), far, far.double())
    assert proof.excess > 1  # the memory's rounding is no excuse for the output
    proof = Proof()
    _compare(proof, OUTPUT, (far + 0.02).numpy(), far, (far + 0.1).double())
    assert proof.excess > 1  # nor is rounding that would be seen
    proof = Proof()
    _compare(proof, OUTPUT, (far + 0.003).numpy(), far, (far + 0.001).double())
    assert proof.excess <= 1
