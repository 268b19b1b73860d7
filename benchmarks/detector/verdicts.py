"""One picture of each verdict with its evidence: `docs/pictures/verdicts.png`.

    python -m benchmarks.detector.verdicts family/GENERATOR --out docs/pictures/verdicts.png

Images of a generator of `benchmarks.detector.family`, which was trained on tiles of the Blue Marble, and such
tiles, as they are and as JPEG: the first with each verdict, of those that show something. Below each image is
the spectrum that `--plot` draws.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFont, ImageStat

from benchmarks.lib.arguments import argument_parser
from i2icli.detector.detector import Detector
from i2icli.detector.plots import plot_spectra
from i2icli.detector.run import Finding, predict_files
from i2icli.image.finding import find_images

QUALITY = 75
DETAIL = 30.0  # levels: standard deviation of an image that shows something
SIDE, GAP, HEAD = 384, 12, 30  # pixels
SHOWN = (("real", "tile", None), ("fake", "generated", None), ("uncertain", "generated", QUALITY))
"""Verdict, what the image is, the quality of its JPEG."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Find one image of each verdict, and draw them side by side."""
    parser = argument_parser(__doc__, __spec__.name)
    parser.add_argument("generator", type=Path, help="folder with fake and real")
    parser.add_argument("--out", type=Path, default=Path("verdicts.png"))
    options = parser.parse_args(arguments)
    sides = {"tile": options.generator / "real", "generated": options.generator / "fake"}
    width = len(SHOWN) * (SIDE + GAP) - GAP
    sheet = Image.new("RGB", (width, HEAD + 2 * SIDE + GAP + 56), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    with TemporaryDirectory() as folder:
        for column, (verdict, what, quality) in enumerate(SHOWN):
            file, finding = next(_found(sides[what], verdict, quality, Path(folder) / verdict))
            said = next(plot_spectra(Detector.shipped("traces"), [finding], Path(folder)))
            left = column * (SIDE + GAP)
            title = f"{what}{f', JPEG {quality}' if quality else ''}: {finding.verdict}"
            draw.text((left, 4), f"{title}, {finding.probability:.3f}", fill="black", font=font)
            shown = Image.open(file).convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
            sheet.paste(shown, (left, HEAD))
            spectrum = Image.open(said.removeprefix("plotted: "))
            sheet.paste(spectrum, (left, HEAD + SIDE + GAP))
            print(f"{title}: {finding.probability:.3f}, {finding.text}")
    sheet.save(options.out, optimize=True)


def _found(images: Path, verdict: str, quality: int | None, work: Path) -> Iterator[tuple[Path, Finding]]:
    """The images with a verdict, compressed first if a quality is given."""
    work.mkdir()
    for file in find_images(images):
        if ImageStat.Stat(Image.open(file).convert("L")).stddev[0] < DETAIL:
            continue
        if quality:
            path = work / f"{file.stem}.jpg"
            Image.open(file).convert("RGB").save(path, quality=quality)
        else:
            path = file
        for finding in predict_files(Detector.shipped("traces"), [path]):
            if finding.verdict == verdict:
                yield path, finding


if __name__ == "__main__":
    main()
