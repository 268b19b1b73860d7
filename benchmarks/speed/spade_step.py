"""SPADE against a plain eager loop that computes the same: training steps, then photos of label maps.

    python -m benchmarks.speed.spade_step [--rounds 5] [--size 128] [--width 32] [--classes 36] [--batch 1]

The plain loop is in float32; weights, order of updates and losses are the same, so the first losses can be
compared. Timed in turns in one process; printed are the median time and the median of plain seconds / our
seconds with its range: more than 1 is faster than the plain loop. With --recomputed also the time and the
activations kept for the backward pass with --checkpoint-activations.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.plain_spade import PlainSPADE, plain_state
from benchmarks.lib.steps import compare_steps, engine_step
from benchmarks.lib.timing import print_speed_ups, time_in_turns
from i2icli.config import Config
from i2icli.inference.inference import Inference
from i2icli.inference.outputs import OutputSpec
from i2icli.registry import config_type
from i2icli.runtime.precision import choose_placement
from i2icli.runtime.torch_backend import TorchBackend
from i2icli.training.run import build_system


def settings(size: int, width: int, classes: int, batch: int) -> Config:
    """The paper's networks, narrower; boundaries are left out, as the plain loop has none."""
    return config_type("spade")(
        crop_size=size,
        width=width,
        discriminator_width=width,
        classes=tuple(f"{number} {number}" for number in range(classes)),
        instances=False,
        batch_size=batch,
        steps=10**6,
        decay_from=1.0,
        perceptual="off",
    )


def scene(size: int, classes: int, batch: int) -> dict[str, Tensor]:
    """A batch: areas of 16 px, and noise."""
    labels = torch.randint(classes, (batch, 1, size // 16, size // 16))
    large = labels.repeat_interleave(16, 2).repeat_interleave(16, 3)
    return {"labels": large, "image": torch.rand(batch, 3, size, size) * 2 - 1}


def translating(config: Config, precision: str, labels: Tensor) -> Callable[[], object]:
    """What the engine computes of label maps that were read."""
    torch.manual_seed(0)
    system = build_system("spade", config).eval()
    placement = choose_placement(torch.device("cpu"), precision, [system.G])
    inference = Inference(TorchBackend(system, placement), Path("model"))
    spec = OutputSpec(inference.tasks[0])
    return lambda: inference.compute({"labels": labels.numpy()}, spec)


def kept_bytes(step: Callable[[], object]) -> int:
    """Bytes that a step keeps for its backward passes."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        step()
    return sum(kept.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--classes", type=int, default=36)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--recomputed", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    config = settings(options.size, options.width, options.classes, options.batch)
    batch = scene(options.size, options.classes, options.batch)
    trainer, fp32 = engine_step("spade", config, "fp32", batch)
    plain = PlainSPADE(options.classes, options.width, 128)
    plain.G.load_state_dict(plain_state(trainer.system.G.state_dict()))
    plain.D.load_state_dict(plain_state(trainer.system.D.state_dict()))
    steps = {
        "plain fp32": lambda: plain.step(batch["labels"], batch["image"]),
        "i2i fp32": fp32,
        "i2i auto": engine_step("spade", config, "auto", batch)[1],
    }
    if options.recomputed:
        again = config.model_copy(update={"checkpoint_activations": True})
        steps["recomputed"] = engine_step("spade", again, "fp32", batch)[1]
    timer = time.process_time if options.threads == 1 else time.perf_counter
    about = f"{options.size} px, width {options.width}, {options.classes} classes, batch {options.batch}"
    compare_steps(steps, options.rounds, about, timer)
    if options.recomputed:
        kept = [kept_bytes(steps[name]) for name in ("i2i fp32", "recomputed")]
        print(f"kept for the backward passes: {kept[0] / 2**20:.0f} MB, recomputed {kept[1] / 2**20:.0f} MB")
    photos = {
        "plain fp32": lambda: plain.translate(batch["labels"]),
        "i2i fp32": translating(config, "fp32", batch["labels"]),
        "i2i auto": translating(config, "auto", batch["labels"]),
    }
    print("photos of label maps")
    print_speed_ups(time_in_turns(photos, options.rounds, timer=timer), "s/batch")


if __name__ == "__main__":
    main()
