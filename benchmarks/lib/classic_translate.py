"""The classic test script, for `benchmarks.speed.translate`: read, run in eager float32, save, one by one.

python -m benchmarks.lib.classic_translate WEIGHTS INPUTS OUTPUTS
"""

import sys
from pathlib import Path

import torch
from PIL import Image
from torchvision import transforms

from benchmarks.lib.classic import generator

if __name__ == "__main__":
    weights, inputs, outputs = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    outputs.mkdir(parents=True, exist_ok=True)
    network = generator()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
    for path in sorted(inputs.glob("*.jpg")):
        image = prepare(Image.open(path).convert("RGB"))[None]
        with torch.no_grad():
            output = network(image)[0]
        pixels = ((output.permute(1, 2, 0).numpy() + 1) * 127.5).clip(0, 255).astype("uint8")
        Image.fromarray(pixels).save(outputs / path.name, quality=95)
