"""Weight initialisation."""

import subprocess
import sys

import torch
from torch import nn

from i2icli.nn.init import init_normal


def test_convolutions_start_small_and_without_bias():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64))
    init_normal(network)
    assert abs(network[0].weight.std().item() - 0.02) < 0.001
    assert network[0].bias.abs().max() == 0
    assert abs(network[1].weight.mean().item() - 1) < 0.01


def test_networks_for_inference_do_not_import_the_compiler():
    code = (
        "import sys, torch\n"
        "from i2icli.nn.resnet import ResnetGenerator; from i2icli.nn.init import init_normal\n"
        "with torch.device('meta'): init_normal(ResnetGenerator(width=4))\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
