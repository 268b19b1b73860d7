"""From a model to graphs that are proven: trace, write, prove, and only then put into place."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from i2icli.errors import UserError
from i2icli.export.content import Content, GivenImages, Scenes
from i2icli.export.describing import FP32, HALF, INT8, describe, fingerprint_of
from i2icli.export.files import belonging, beside, check_free, move_all, own_files, part_path, set_aside
from i2icli.export.judging import judge
from i2icli.export.onnx_file import to_onnx, write_onnx
from i2icli.export.openvino_file import write_openvino
from i2icli.export.options import ExportOptions, Precision
from i2icli.export.parts import Part, described, parts_of
from i2icli.export.proof import SHOWN, Proof, Run, prove, trials_of
from i2icli.export.pt2_file import run_pt2, write_pt2
from i2icli.export.trace import Traced, trace
from i2icli.export.uint8 import with_pixels
from i2icli.graphs.graph_file import open_graph
from i2icli.graphs.metadata import FIRST, MAIN, GraphMetadata, PartFile
from i2icli.graphs.sessions import open_session
from i2icli.nn.spectral_norm import fold_spectral_norms
from i2icli.system import System
from i2icli.task import Task

Report = Callable[[str], None]
"""Is told, in words, what is going on."""
WORDS: dict[Precision, str] = {"fp32": FP32, "half": HALF, "int8": INT8}


@dataclass(frozen=True)
class Exported:
    """A graph that was written and proven, with its parts."""

    path: Path  # of the main file
    files: tuple[Path, ...]  # all that belong to it
    bytes: int
    proof: Proof  # of the main part
    verdict: str  # what was proven, in a line


class Exporter:
    """A model about to be exported."""

    def __init__(
        self,
        system: System[Any],
        options: ExportOptions,
        notes: Sequence[str] = (),
        report: Report = lambda _: None,
        images: Content | None = None,
        *,
        keep_failed: bool = True,
    ) -> None:
        """system: on the CPU in float32, as it was loaded; it is only used from now on. images: to prove it
        on where the options name none; None: drawn scenes. keep_failed: whether a graph that fails its proof
        is set aside, for people to look at.

        Raises UserError for options that cannot be, images that cannot be found, and missing packages.
        """
        options.check()
        options.check_packages()
        self.system, self.options, self.notes, self.report = system, options, tuple(notes), report
        for name in system.inference_modules:
            fold_spectral_norms(system.get_submodule(name))
        system.eval().requires_grad_(False)
        given = _folder(options.images, "--images")
        self.calibration = _folder(options.calibrate, "--calibrate")
        if self.calibration is not None and given is None:
            given, self.calibration = self.calibration.apart(SHOWN)
        self.images: Content = given or images or Scenes()
        self.fingerprint = fingerprint_of(system)
        self._keeps_failed = keep_failed

    def export(self, tasks: Sequence[Task], path: Path) -> Exported:
        """Write what computes some tasks of one `graph_key`, with the parts that belong to it.

        Raises UserError if a part cannot be a graph, exists already, or fails its proof; then nothing is
        written but the failing file, as NAME.unproven.
        """
        check_free([path], overwrite=self.options.overwrite)
        parts = [self._changed(part) for part in parts_of(self.system, tasks)]
        with beside(path) as folder:
            written: dict[str, PartFile] = {}
            found: Exported | None = None
            for part in parts:
                file = part_path(folder / path.name, part.name)
                found = self._part(part, file, path.parent, written)
                if not part.is_main and self.options.to != "pt2":
                    written[part.name] = PartFile(file=file.name, sha256=open_graph(file).sha256())
            assert found is not None
            files = belonging(folder / path.name)
            files.sort(key=lambda each: each.name == path.name)  # the main one last
            sizes = sum(each.stat().st_size for each in files)
            for old in belonging(path):
                if old.name not in {each.name for each in files}:
                    old.unlink()  # a part that the model has no more
            move_all(files, path.parent)
        names = tuple(path.parent / each.name for each in files)
        return replace(found, path=path, files=names, bytes=sizes)

    def _changed(self, part: Part) -> Part:
        return described(with_pixels(part, self.system), self.system) if self.options.uint8 else part

    def _part(self, part: Part, file: Path, target: Path, written: dict[str, PartFile]) -> Exported:
        precision = self.options.precision
        if precision == "int8" and part.name not in (MAIN, FIRST):
            precision = "fp32"
        fused = part.name in (MAIN, FIRST) and (self.options.fused_norms or precision != "fp32")
        with self._timed(f"tracing {part.name}"):
            traced = trace(part, self.system, fused=fused)
        part = traced.part
        metadata = describe(
            part,
            self.system,
            precision=WORDS[precision],
            pixels="uint8" if self.options.uint8 else "float",
            notes=self.notes,
            fingerprint=self.fingerprint,
        ).model_copy(update={"parts": written if part.is_main else {}})
        with self._timed(f"writing {part.name}"):
            write = self._writer(traced, precision)
            write(file, metadata)
        with self._timed(f"proving {part.name}"):
            trials = list(trials_of(part, self.images))
            proof = prove(
                part, self.system, self._runner(file, part), trials, exact=precision == "fp32" and not fused
            )
        try:
            verdict = judge(proof, part, precision, force=self.options.force, fused=fused)
        except UserError as error:
            if not self._keeps_failed:
                raise
            kept = set_aside(own_files(file), target)
            raise UserError(f"{error}; the file is kept as {kept}", exit_code=1) from None
        write(file, metadata.model_copy(update={"proven": proof.facts()}))
        return Exported(file, (), 0, proof, verdict)

    def _writer(self, traced: Traced, precision: Precision) -> Callable[[Path, GraphMetadata], None]:
        """What writes a graph with its metadata into a file."""
        part, to = traced.part, self.options.to
        if to == "pt2":
            return lambda file, metadata: write_pt2(file, traced, metadata)
        model = to_onnx(traced, self.options.opset)
        if precision == "int8":
            from i2icli.export.int8 import to_int8

            assert self.calibration is not None
            model = to_int8(model, part, self.system, self.calibration)
        if to == "openvino":
            half = precision == "half"
            return lambda file, metadata: write_openvino(file, model, part, metadata, half=half)
        if precision == "half":
            from i2icli.export.half import store_half

            store_half(model)
        return lambda file, metadata: write_onnx(file, model, metadata)

    def _runner(self, file: Path, part: Part) -> Run:
        """What runs a file that was just written, in single precision."""
        if self.options.to == "pt2":
            return run_pt2(file, part)
        runtime = "openvino" if self.options.to == "openvino" else "onnxruntime"
        return open_session(open_graph(file), runtime).run  # type: ignore[arg-type]

    @contextmanager
    def _timed(self, doing: str) -> Iterator[None]:
        started = time.monotonic()
        self.report(f"{doing} ...")
        yield
        self.report(f"{doing}: {time.monotonic() - started:.1f} s")


def _folder(folder: Path | None, option: str) -> GivenImages | None:
    return None if folder is None else GivenImages.of_folder(folder, option)
