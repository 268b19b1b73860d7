"""Memory that runs out is said in words that help."""

import pytest
import torch

from i2icli.errors import UserError
from i2icli.runtime.device import Placement
from i2icli.runtime.memory import is_out_of_memory, training_out_of_memory
from i2icli.stage import Stage
from i2icli.training.run import build_system
from i2icli.training.trainer import Trainer
from tests.tiny import tiny_config
from tests.training.synthetic import batches

FAILURES = (
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
)


@pytest.mark.parametrize("failure", FAILURES)
def test_the_line_tells_size_and_batch_and_what_to_lower(failure, monkeypatch):
    system = build_system("cyclegan", tiny_config("cyclegan", batch_size=4))
    trainer = Trainer(system, batches("cyclegan", 4), Placement(torch.device("cpu")))

    def fail(_image):
        raise failure

    monkeypatch.setattr(system.G_AB, "forward", fail)
    with pytest.raises(UserError, match=r"batch size 4 .*32x32 px.*--batch-size 2 --accumulate 2") as error:
        trainer.fit()
    assert error.value.exit_code == 1


def test_only_what_is_not_tried_yet_is_advised():
    image = torch.zeros(1, 3, 32, 32)
    text = str(training_out_of_memory({"A": image}, Stage("main", 4), low_precision=True))
    assert text.endswith("try a smaller --crop-size or a smaller --width")
    text = str(training_out_of_memory({"A": image}, Stage("main", 4)))
    assert text.endswith("try a smaller --crop-size, a smaller --width or --precision bf16")
    assert "--batch-size" not in text.partition("try")[2]


def test_other_errors_are_not_taken_for_it(monkeypatch):
    system = build_system("cyclegan", tiny_config("cyclegan"))
    trainer = Trainer(system, batches("cyclegan", 1), Placement(torch.device("cpu")))

    def fail(_image):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(system.G_AB, "forward", fail)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        trainer.fit()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB)"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_devices_report_a_lack_of_memory_in_their_own_words(error, expected):
    assert is_out_of_memory(error) == expected
