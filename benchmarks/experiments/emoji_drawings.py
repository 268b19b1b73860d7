"""The picture of the README: flat drawings of emoji, and pix2pix's rendering of those it never saw.

    npm pack @iconify-json/fluent-emoji-flat@1.2.6 @lobehub/fluent-emoji-3d@1.1.0
    pip install resvg-py
    python -m benchmarks.experiments.emoji_drawings write iconify-*.tgz lobehub-*.tgz drawings
    python -m benchmarks.experiments.emoji_drawings settings > drawings.toml
    i2i train pix2pix drawings --recipe drawings.toml --out runs/drawings
    python -m benchmarks.experiments.emoji_drawings figure drawings --model runs/drawings

Both packages hold Fluent Emoji by Microsoft (MIT licence): one as drawings (SVG), one rendered in three
dimensions. One emoji in ten is for the test. Its variants (skin tones, professions) begin with the same code
point and are not trained on either.
"""

import json
import tarfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.lib.arguments import argument_parser
from benchmarks.lib.images import read_rgb
from i2icli.demo.toy.scenes import write_png
from i2icli.image.finding import find_images
from i2icli.inference.translator import Translator

Pixels = NDArray[np.uint8]
BOX = 32  # side of the drawings' coordinates
TONES = ("1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff")
JOINER = "200d"  # between the code points of combinations
SETTINGS = """\
# Drawings of emoji -> renderings of 96 px, in about ten minutes on one processor core.
system = "pix2pix"
crop_size = 96
load_size = 102
batch_size = 4
steps = {steps}
lr = 5e-4
norm = "instance"
dropout = 0
l1_weight = 50
upsampling = "bilinear"
width = 24
depth = 5
discriminator_width = 24
num_layers = 2
ema = 0.998
holdout = 0
"""


def pairs(drawings: Path, renderings: Path, side: int) -> Iterator[tuple[str, Pixels, Pixels]]:
    """Code points, drawing and rendering, (side, side, 3) each, of every emoji that both packages have."""
    from resvg_py import svg_to_bytes

    with tarfile.open(drawings) as file:
        icons = _member(file, "package/icons.json")["icons"]
        names = _member(file, "package/chars.json")
    with tarfile.open(renderings) as file:
        for member in file.getmembers():
            code = Path(member.name).stem
            if not member.name.endswith(".webp") or names.get(code) not in icons:
                continue
            svg = (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
                f'viewBox="0 0 {BOX} {BOX}">{icons[names[code]]["body"]}</svg>'
            )
            rendered = file.extractfile(member)
            assert rendered is not None
            drawing = bytes(svg_to_bytes(svg_string=svg))
            yield code, _on_white(drawing, side), _on_white(rendered.read(), side)


def _member(file: tarfile.TarFile, name: str) -> Any:
    """A JSON file of a package."""
    member = file.extractfile(name)
    assert member is not None
    return json.load(member)


def _on_white(data: bytes, side: int) -> Pixels:
    """(side, side, 3): an image file of transparent background, on white."""
    image = Image.open(BytesIO(data)).convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"))


def is_test(code: str) -> bool:
    """Whether an emoji is for the test; its variants begin with the same code point."""
    return crc32(code.split("-")[0].encode()) % 10 == 0


def write(drawings: Path, renderings: Path, out: Path, side: int) -> None:
    """Write train/A, train/B, test/A, test/B; of test emoji only the plain ones."""
    count = {"train": 0, "test": 0}
    for code, drawing, rendering in pairs(drawings, renderings, side):
        split = "test" if is_test(code) else "train"
        if split == "test" and any(part in (*TONES, JOINER) for part in code.split("-")):
            continue
        count[split] += 1
        write_png(out / split / "A" / f"{code}.png", drawing)
        write_png(out / split / "B" / f"{code}.png", rendering)
    print(", ".join(f"{split}: {number} pairs" for split, number in count.items()))


def figure(data: Path, model: str, out: Path, columns: int, rows: int) -> None:
    """Draw test emoji evenly spread over the set: the drawing, and the model's rendering below it."""
    found = find_images(data / "test" / "A")
    translator = Translator.load(model, precision="fp32")
    lines: list[Pixels] = []
    chosen = [found[index * len(found) // (columns * rows)] for index in range(columns * rows)]
    for row in range(rows):
        given = [read_rgb(path) for path in chosen[row * columns : (row + 1) * columns]]
        rendered = [np.asarray(translator.translate(pixels)) for pixels in given]
        lines += [np.concatenate(given, axis=1), np.concatenate(rendered, axis=1)]
    write_png(out, np.concatenate(lines))
    print(out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write data, print settings, or draw the figure."""
    parser = argument_parser(__doc__, __spec__.name)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("drawings", type=Path, help="the package fluent-emoji-flat")
    writing.add_argument("renderings", type=Path, help="the package fluent-emoji-3d")
    writing.add_argument("out", type=Path)
    writing.add_argument("--side", type=int, default=96)
    printing = commands.add_parser("settings")
    printing.add_argument("--steps", type=int, default=4000)
    drawing = commands.add_parser("figure")
    drawing.add_argument("data", type=Path)
    drawing.add_argument("--model", required=True)
    drawing.add_argument("--out", type=Path, default=Path("docs/pictures/emoji.png"))
    drawing.add_argument("--columns", type=int, default=12)
    drawing.add_argument("--rows", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.command == "write":
        write(given.drawings, given.renderings, given.out, given.side)
    elif given.command == "settings":
        print(SETTINGS.format(steps=given.steps), end="")
    else:
        figure(given.data, given.model, given.out, given.columns, given.rows)


if __name__ == "__main__":
    main()
