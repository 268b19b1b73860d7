"""What is decided before the first frame of a video is translated: sizes, encoding, what is there already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from i2icli.errors import UserError
from i2icli.image.kinds import holds_ids
from i2icli.inference.inference import Inference
from i2icli.inference.manifest import content, fingerprint, settings_of
from i2icli.inference.outputs import OutputSpec
from i2icli.inference.record import Origin
from i2icli.inference.scale_notes import scale_notes
from i2icli.inference.video_compare import compared_size
from i2icli.inference.video_first import FirstFrame, TranslatedFrame
from i2icli.inference.video_jobs import VideoJob
from i2icli.inference.video_names import STILL
from i2icli.inference.video_options import VideoRequest
from i2icli.inference.video_segments import INPUT, LENGTH, Segments
from i2icli.inference.video_sinks import FolderSink, Sink, VideoSink
from i2icli.video import Encoding, Source, VideoInfo, open_source, plan_encoding
from i2icli.video.sequences import is_sequence, sequence_files
from i2icli.written import counted


@dataclass(frozen=True)
class VideoPlan:
    """The translation of one video for one spec."""

    job: VideoJob
    request: VideoRequest
    source: Source
    size: tuple[int, int]  # (height, width) of the network's result
    encoding: Encoding | None  # None: a folder of frames
    segments: Segments
    finished: bool  # whether it is there already
    expected: int | None  # frames of the result, an estimate
    notes: tuple[str, ...]

    @property
    def spec(self) -> OutputSpec:
        """What is asked of the model."""
        return self.job.spec

    def sink(self) -> Sink:
        """Where the frames go."""
        if self.encoding is None:
            numbered, keep_gps = not self.source.named, self.request.translate.keep_gps
            return FolderSink(self.segments, _suffix(self.request), numbered=numbered, keep_gps=keep_gps)
        return VideoSink(self.segments, self.encoding, self.source, (self.request.start, self.request.end))


def check_request(request: VideoRequest, specs: Sequence[OutputSpec]) -> None:
    """Raise UserError for options that contradict each other or do not suit the tasks."""
    request.check()
    video = request.video
    remembers = all(spec.task.memory for spec in specs)
    for flag, given in (
        ("--first-frame", video.first_frame is not None),
        ("--first-model", video.first_model is not None),
        ("--cuts", video.cuts),
    ):
        if given and not remembers:
            raise UserError(
                f"{flag}: this model translates every frame by itself, without memory; leave it out"
            )
    if video.smooth and any(spec.task.memory for spec in specs):
        raise UserError("--smooth: this model has a memory of its own; leave it out")


def plan_video(
    inference: Inference, job: VideoJob, request: VideoRequest, first: FirstFrame | None
) -> VideoPlan:
    """Open a video and decide everything. Raises UserError for what cannot be read, encoded or replaced."""
    reading = next(iter(job.spec.task.inputs.values())).reading
    source = open_source(job.source, request.rate, reading)
    info, task = source.info, job.spec.task
    port = next(iter(task.inputs.values()))
    if holds_ids(port.kind) and info.container != "images":
        raise UserError(
            f"{job.source}: this model reads {port.kind}, which a video cannot hold exactly; give a folder "
            "of PNG maps, one for each frame"
        )
    lacking = [name for name, each in list(task.inputs.items())[1:] if each.instead is None]
    if lacking and info.container != "images":
        raise UserError(
            f"{job.source}: this model also needs {', '.join(lacking)} for every frame; give a folder of "
            "frames, with these beside it"
        )
    size = job.spec.resizing.of_result(info.size, task.output.scale)
    encoding = None
    if not is_folder(request.video.format):
        encoding = plan_encoding(
            job.target,
            replace(info, rate=info.rate / request.video.every if info.rate else None),
            request.encode,
            size=compared_size(size, request.video.compare),
            alpha=info.alpha,
            bits=_bits(job.spec, info),
        )
        encoding = replace(encoding, keep_gps=request.translate.keep_gps)
    segments = Segments(job.target, encoding.segment_suffix if encoding else "")
    settings = _settings(inference, job, request, first)
    standing = segments.open(settings, overwrite=request.translate.overwrite)
    notes = encoding.notes if encoding else ()
    if standing == "unfinished":
        notes = (*notes, f"going on after {counted(segments.frames, 'frame')}")
    notes = (*notes, *scale_notes(job.spec, {job.source: info.size}))
    expected = expected_frames(info, request)
    return VideoPlan(job, request, source, size, encoding, segments, standing == "finished", expected, notes)


def is_folder(format: str | None) -> bool:
    """Whether a format means a folder of frames."""
    return format is not None and "." + format.lower().lstrip(".") in STILL


def _suffix(request: VideoRequest) -> str:
    """Of the frames of a folder."""
    return "." + (request.video.format or "png").lower().lstrip(".")


def expected_frames(info: VideoInfo, request: VideoRequest) -> int | None:
    """Frames of the result, as far as can be told without decoding."""
    if info.frames is None:
        return None
    first, last = 0, info.frames
    if info.packets is not None and len(info.packets.times):
        times, base = info.packets.times, info.packets.time_base
        if request.start is not None:
            first = int(np.searchsorted(times, float((request.start + info.zero) / base)))
        if request.end is not None:
            last = int(np.searchsorted(times, float((request.end + info.zero) / base)))
    elif info.duration:
        rate = info.frames / info.duration
        first = round((request.start or 0) * rate)
        last = min(last, round(request.end * rate)) if request.end is not None else last
    every = request.video.every
    return max(0, -(-last // every) - -(-first // every))


def _bits(spec: OutputSpec, info: VideoInfo) -> int:
    """Of a channel of the results."""
    if spec.task.output.dtype is not None:
        return 8 if spec.task.output.dtype == "uint8" else 16
    return 8 if holds_ids(next(iter(spec.task.inputs.values())).kind) else info.bits


def _settings(
    inference: Inference, job: VideoJob, request: VideoRequest, first: FirstFrame | None
) -> dict[str, object]:
    """What decides a result, by the names of options."""
    video = request.video.model_dump(mode="json", exclude={"format", "first_frame", "first_model"})
    if is_folder(request.video.format):  # else the name of the result tells
        video["format"] = _suffix(request)
        encode: dict[str, object] = {}
    else:
        encode = request.encode.model_dump(mode="json")
    if request.video.first_frame is not None:
        video["first_frame"] = content(request.video.first_frame)
    if isinstance(first, TranslatedFrame):
        video["first_model"] = fingerprint(first.inference.model)
    settings = settings_of(inference.model, request.translate) | {"to": job.spec.task.name}
    named = {name.replace("_", "-"): value for name, value in (video | encode).items()}
    return settings | named | {INPUT: _identity(job.source), "segments": LENGTH}


def _identity(source: str) -> list[object]:
    """Which input it is: bytes, or the number of frames, and what they hold."""
    if is_sequence(source):
        files = sequence_files(source)
        return [len(files), Origin(tuple(files)).content()]
    path = Path(source)
    return [path.stat().st_size, Origin((path,)).content()]
