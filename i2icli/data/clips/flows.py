"""The optical flow of training clips, as tensors."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from i2icli.flow.confidence import confident
from i2icli.flow.teachers import Teacher
from i2icli.image import Pixels
from i2icli.image.pixels import as_colours


def flows(frames: Sequence[Pixels], strides: Sequence[int], teacher: Teacher) -> dict[str, Tensor]:
    """T frames (H, W, C) of one size -> "flow_n" (T, 2, H, W), "confidence_n" (T, 1, H, W) for each stride n.

    Flow goes from frame t to frame t - n, x then y in pixels; it is estimated between these two, not put
    together. Confidence is 1 where the squared error of the warped frame is below 0.02, as in vid2vid. Both
    are 0 for t < n.
    """
    colours = [as_colours(frame) for frame in frames]
    height, width = colours[0].shape[:2]
    found: dict[str, Tensor] = {}
    for stride in strides:
        flow = np.zeros((len(frames), 2, height, width), np.float32)
        confidence = np.zeros((len(frames), 1, height, width), np.float32)
        for t in range(stride, len(frames)):
            current, previous = colours[t], colours[t - stride]
            own = teacher(current, previous)  # (H, W, 2)
            flow[t] = own.transpose(2, 0, 1)
            confidence[t, 0] = confident(current, previous, own)
        found[f"flow_{stride}"] = torch.from_numpy(flow)
        found[f"confidence_{stride}"] = torch.from_numpy(confidence)
    return found
