"""Every loss that a system logs is explained in a sentence."""

import json
from pathlib import Path

import pytest

from i2icli import registry
from i2icli.losses.legend import explanation
from i2icli.training.run import build_system
from tests.tiny import tiny_config
from tests.training.synthetic import batches

GOLDEN = Path(__file__).parents[1] / "golden" / "losses"


@pytest.mark.parametrize("name", registry.SYSTEMS)
def test_the_legend_explains_every_loss(name):
    legend = registry.system_type(name).legend
    logged = {loss for row in json.loads((GOLDEN / f"{name}.json").read_text()) for loss in row}
    assert {loss for loss in logged if explanation(legend, loss) is None} == set()
    for text in legend.values():
        assert text.endswith(".")
        assert text.count(". ") == 0, "one sentence"


OPTIONAL = [
    ("cyclegan", {"gan_loss": "wgangp", "identity_weight": 0.5}),
    ("pix2pix", {"gan_loss": "wgangp"}),
    ("spectral_dcgan", {"gan_loss": "wgangp", "spectral_weight": 1e-3}),
    ("combogan", {"forward_weight": 1.0}),
    ("stargan", {"identity_weight": 1.0}),
    ("lapgan", {"pixel_weight": 1.0}),
    ("paired_cyclegan", {"keep_weight": 1.0}),
    ("augmented_cyclegan", {"stochastic_encoder": True}),
    ("spade", {"vae": True}),
]


@pytest.mark.parametrize(("name", "changes"), OPTIONAL)
def test_losses_and_metrics_that_settings_switch_on_are_explained_too(name, changes):
    system = build_system(name, tiny_config(name, batch_size=2, **changes))
    for stage in system.config.stages():
        system.clock.stage = stage
        batch = next(batches(name, 2)(stage, 0))
        for update in system.training_step(batch):
            for loss in (*update.losses, *update.metrics):
                assert explanation(system.legend, f"{update.optimizer}/{loss}"), loss
