"""Whether what a proof found is good enough, in the words of each precision."""

from math import isinf

import torch

from i2icli.errors import UserError
from i2icli.export.options import LEAST_PSNR, Precision
from i2icli.export.parts import Part
from i2icli.export.proof import Proof, check_spread
from i2icli.graphs.metadata import OUTPUT
from i2icli.nn.spectrum import num_rings, spectral_distance


def judge(proof: Proof, part: Part, precision: Precision, *, force: bool, fused: bool = False) -> str:
    """What was proven of a part, in a line.

    force: keep what is worse than `LEAST_PSNR`; fused: its norms are, so that even fp32 is not held against
    rounding. Raises UserError if the part is not what it should be.
    """
    if OUTPUT in part.outputs:
        check_spread(proof, part)
    if precision == "fp32" and not fused:
        return _single(proof, part)
    return _lower(proof, part, precision, force=force)


def _single(proof: Proof, part: Part) -> str:
    if proof.excess > 1:
        how = "is not a number" if isinf(proof.excess) else f"differs by up to {proof.difference:.2g}"
        raise UserError(
            f"the proof failed: {part.name!r} {how}, {proof.excess:.1f} times what is allowed "
            f"(the networks' own rounding is {proof.floor:.1g})",
            exit_code=1,
        )
    psnr = proof.psnr
    quality = f", {psnr:.0f} dB" if psnr is not None else ""
    if part.dtypes.get(OUTPUT) == torch.uint8:
        difference = f"{proof.difference:.0f} of 255"
    else:
        difference = f"{proof.difference:.1g} (rounding of the networks themselves: {proof.floor:.1g})"
    return (
        f"proven: largest difference {difference}{quality} on {proof.origin or 'noise'}, "
        f"sizes {_sizes(proof)}"
    )


def _lower(proof: Proof, part: Part, precision: Precision, *, force: bool) -> str:
    """Of half precision and 8 bits a loss is measured; they cannot be equal."""
    if OUTPUT not in part.outputs:
        return f"differs by up to {proof.difference:.1g}"
    psnr = proof.psnr if proof.psnr is not None else float("inf")
    distance = spectral(proof)
    text = f"accurate to {psnr:.1f} dB on {proof.origin}"
    text += f", spectral distance {distance:.2f}" if distance is not None else ""
    least = LEAST_PSNR[precision]
    if not psnr >= least and not force:
        what = "the graph" if precision == "fp32" else f"--{precision}"
        raise UserError(
            f"{what} loses too much: {text}; at least {least:.0f} dB are expected, --force keeps it anyway",
            exit_code=1,
        )
    return text


def spectral(proof: Proof) -> float | None:
    """How far their spectra are from those of the networks, see `nn.spectrum`; None: too small."""
    pairs = [pair for pair in proof.shown if num_rings(*pair[0].shape[-2:]) > 0]
    if not pairs:
        return None
    distances = [float(spectral_distance(found, wanted).mean()) for found, wanted in pairs]
    return sum(distances) / len(distances)


def _sizes(proof: Proof) -> str:
    return ", ".join(dict.fromkeys(trial.split(" ")[0] for trial in proof.trials))
