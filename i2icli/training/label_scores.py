"""Scores of generated photos against the label maps they were made from, by a segmentation network."""

from torch import Tensor

from i2icli.scores import confusion, mean_iou, pixel_accuracy
from i2icli.system import Evaluation
from i2icli.training.segmenter import Segmenter

REAL = "real"  # suffix of the scores of the real photos


class LabelScores:
    """Accumulates confusion matrices of generated photos, and of the real ones, over a validation."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        self.counts: dict[str, Tensor] = {}

    def add(self, found: Evaluation) -> None:
        """The photos of one batch; nothing if the system does not say what they were made from."""
        if found.labels is None:
            return
        for name, (output, _) in found.compared.items():
            self._count(name, output, found.labels)
        if found.compared:
            _, truth = next(iter(found.compared.values()))
            self._count(REAL, truth, found.labels)

    def scores(self) -> dict[str, float]:
        """miou and pixel_accuracy of the generated photos, and "miou/real" ... of the real ones.

        With several outputs "miou/A", ... Empty if no pixel had a label.
        """
        found: dict[str, float] = {}
        for name, counts in self.counts.items():
            if counts.sum() > 0:
                suffix = f"/{name}" if name else ""
                found[f"miou{suffix}"] = mean_iou(counts)
                found[f"pixel_accuracy{suffix}"] = pixel_accuracy(counts)
        return found

    def _count(self, name: str, photos: Tensor, labels: Tensor) -> None:
        counts = confusion(labels, self.segmenter.predict(photos), self.segmenter.classes).cpu()
        self.counts[name] = self.counts.get(name, 0) + counts
