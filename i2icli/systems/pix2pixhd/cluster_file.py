"""The authors' file of clusters, `features_clustered_010.npy`: a pickled dictionary, read without running it.

np.save wrote it: an array of one object, a dictionary of arrays (clusters, features) by class.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from i2icli.errors import UserError
from i2icli.originals.array_pickles import Array, load_pickle
from i2icli.originals.pickle_machine import TOO_MUCH, RefusedError

PATTERN = "features_clustered_*.npy"
LARGEST = 64 * 2**20  # bytes: the clusters of a thousand classes are smaller
_MAGIC = b"\x93NUMPY"


def read_clusters(path: Path) -> dict[int, Tensor]:
    """Clusters (K, F) by class index. Raises UserError for another file, and for one that asks for more."""
    try:
        if path.stat().st_size > LARGEST:
            raise RefusedError(f"it is larger than {LARGEST >> 20} MB")
        data = path.read_bytes()
        held = load_pickle(_after_header(data))
        if not isinstance(held, Array) or len(held.objects()) != 1:
            raise RefusedError("it holds no dictionary")
        return _clusters(held.objects()[0], len(data))
    except Exception as error:  # hostile files find every way to fail
        reason = str(error) if isinstance(error, RefusedError) else "it is damaged"
        raise UserError(
            f"{path}: not a file of clusters that can be read safely ({reason}); move it away to do without"
        ) from None


def _after_header(data: bytes) -> bytes:
    """The pickle behind the header of a .npy file, whose length stands in front of it."""
    if not data.startswith(_MAGIC):
        raise RefusedError("it is no .npy file")
    start, kind = (10, "<H") if data[6] == 1 else (12, "<I")  # by the version of the format
    (length,) = struct.unpack(kind, data[8:start])
    return data[start + length :]


def _clusters(found: object, size: int) -> dict[int, Tensor]:
    if not isinstance(found, Mapping):
        raise RefusedError("it holds no dictionary")
    arrays = [each for each in found.values() if isinstance(each, Array)]
    if sum(each.size for each in arrays) > size:  # several may share their bytes
        raise RefusedError(TOO_MUCH)
    clusters: dict[int, Tensor] = {}
    for key, value in found.items():
        if not isinstance(key, int) or not isinstance(value, Array):
            raise RefusedError("its dictionary holds more than arrays by class")
        numbers = torch.from_numpy(value.values().astype("float32"))
        if numbers.ndim != 2 or not numbers.isfinite().all():
            raise RefusedError(f"the clusters of class {key} are no table of finite numbers")
        clusters[key] = numbers
    return clusters
