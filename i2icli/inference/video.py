"""Videos in, videos out: decoding, networks and encoding overlap, in memory that does not grow."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from i2icli.errors import UserError
from i2icli.inference.inference import Inference
from i2icli.inference.other_inputs import OtherInputs
from i2icli.inference.outputs import inputs_of
from i2icli.inference.prefetching import prefetch, read_ahead
from i2icli.inference.results import described
from i2icli.inference.video_first import FirstFrame
from i2icli.inference.video_frames import FrameTranslator
from i2icli.inference.video_jobs import VideoJob, plan_videos
from i2icli.inference.video_options import VideoRequest
from i2icli.inference.video_plan import VideoPlan, check_request, plan_video
from i2icli.inference.video_results import NoWatch, VideoProgress, VideoResult, Watch
from i2icli.inference.video_writing import ResultWriter
from i2icli.video import Damage
from i2icli.written import counted

AHEAD = 2  # frames that may wait between one thread and the next
THREADS = 2  # that decode images and prepare inputs; and as many that make results


class VideoTranslation:
    """The translation of videos: iterating does it, one result per video and output, in order."""

    def __init__(
        self,
        inference: Inference,
        inputs: Iterable[str],
        out: Path,
        request: VideoRequest,
        watch: Watch | None = None,
    ) -> None:
        """Plan it. Raises UserError if the request as a whole is wrong."""
        self.inference, self.request = inference, request
        self.first: FirstFrame | None = None  # what the memory begins with
        self.watch: Watch = watch or NoWatch()
        self.specs = inference.specs(request.translate)
        check_request(request, self.specs)
        OtherInputs(inputs_of(self.specs), request.translate)  # refuses folders that are not there
        self.jobs = plan_videos(inputs, out, self.specs, request.video.format)

    __repr__ = described

    def __len__(self) -> int:
        """Results that are asked for."""
        return len(self.jobs)

    def __iter__(self) -> Iterator[VideoResult]:
        for job in self.jobs:
            if self.watch.stopped():
                return
            yield self._result(job)

    def _result(self, job: VideoJob) -> VideoResult:
        """What becomes of one job; what a user can mend is told in the result."""
        started = time.monotonic()
        if job.error:
            return VideoResult(job.source, None, "failed", job.error)
        try:
            spec = self.inference.outputs().infer_source(job.spec, job.folders)
            plan = plan_video(self.inference, replace(job, spec=spec), self.request, self.first)
            for note in plan.notes:
                self.watch.note(job.source, note)
            if plan.finished:
                return VideoResult(job.source, job.target, "there", notes=plan.notes)
            left = max(1, (plan.expected or 1) - plan.segments.frames)
            self.inference.backend.expect(spec.task, left)
            run = _Run(self, plan)
            result = run.result()
        except UserError as error:
            return VideoResult(job.source, None, "failed", str(error))
        except OSError as error:
            return VideoResult(job.source, None, "failed", _of_system(error))
        for note in run.others.notes():
            self.watch.note(job.source, note)
        notes = (*plan.notes, *run.others.notes())
        return replace(result, seconds=time.monotonic() - started, notes=notes)


class _Run:
    """The translation of one video for one spec."""

    def __init__(self, translation: VideoTranslation, plan: VideoPlan) -> None:
        self.plan, self.watch = plan, translation.watch
        request, inference = translation.request, translation.inference
        self.others = OtherInputs(inputs_of([plan.spec]), request.translate)
        self.translator = FrameTranslator(
            inference,
            plan.spec,
            self.others,
            plan.source.info.size,
            batch_size=request.translate.batch_size,
            first=translation.first,
            cuts=request.video.cuts,
        )
        self.sink = plan.sink()
        self.writer = ResultWriter(
            inference,
            plan.spec,
            self.sink,
            self._damage,
            size=plan.size,
            every=request.video.every,
            smooth=request.video.smooth,
            compare=request.video.compare,
        )
        if plan.segments.done:
            self.translator.restore(plan.segments.state(), plan.segments.frames)
            self.writer.restore(plan.segments)

    def result(self) -> VideoResult:
        """Do what is left to be done. Where it fails, what is done stays usable. Raises UserError."""
        plan = self.plan
        try:
            done = plan.segments.done
            if not (done and done[-1].end) and not self._frames():
                return self._stopped()
            if not plan.segments.frames:
                why = f" ({plan.segments.damage.text()})" if plan.segments.damage else ""
                plan.segments.clear()
                raise UserError(f"{plan.source.name}: no frames{plan.request.span_text}{why}")
            self.sink.finish()
        except (UserError, OSError, MemoryError) as error:
            raise UserError(self._broken(error), exit_code=1) from error
        finally:
            self.sink.close()
        damage, frames = plan.segments.damage, plan.segments.frames
        plan.segments.finish()
        result = VideoResult(plan.job.source, plan.job.target, "done", frames=frames)
        return replace(result, status="damaged", error=damage.text()) if damage else result

    def _damage(self) -> Damage:
        """What was found damaged in this reading so far, by the reader and by the translator."""
        found = Damage()
        found.take(self.plan.source.damage)
        found.take(self.translator.damage)
        return found

    def _frames(self) -> bool:
        """Translate what is left; whether that went to the end, and was not stopped."""
        plan, source, done = self.plan, self.plan.source, self.plan.segments.frames
        pace = _Pace(plan.job.source, done, plan.expected)
        with ExitStack() as stack:
            span = plan.request.start, plan.request.end
            every = plan.request.video.every
            frames = stack.enter_context(source.frames(*span, every=every, after=self.writer.last))
            frames = stack.enter_context(read_ahead(frames, AHEAD))
            loaders, makers, writer = (
                stack.enter_context(ThreadPoolExecutor(count)) for count in (THREADS, THREADS, 1)
            )
            loaded = prefetch(loaders, self.translator.load, frames, self.translator.count + AHEAD)
            made = self.translator.compute(loaded, self.watch.stopped)
            ready = prefetch(makers, self.writer.prepare, made, AHEAD)
            for _ in prefetch(writer, self.writer.write, ready, AHEAD):
                self.watch.progress(pace.next())
        if self.translator.stopped:
            return False
        self.writer.end_segment({}, end=True)
        return True

    def _stopped(self) -> VideoResult:
        """The result so far, made playable."""
        frames = self.plan.segments.frames + self.writer.count
        target = self.sink.partial(self.writer.segment())
        kept = f"; the part so far is {target}" if target else ""
        why = f"stopped after {counted(frames, 'frame')}{kept}; run the same command again to go on"
        return VideoResult(self.plan.job.source, target, "stopped", why, frames)

    def _broken(self, error: Exception) -> str:
        """Why it failed, and where the finished part is."""
        segments = self.plan.segments
        why = str(error) if isinstance(error, UserError) else _of_system(error)
        if not segments.frames:
            return why
        try:
            where: Path | None = self.sink.partial(replace(self.writer.segment(), frames=0))
        except (UserError, OSError):  # such as on a full disk
            where = segments.folder
        kept = f"the {counted(segments.frames, 'frame')} before are in {where}"
        return f"{why}; {kept}, the same command goes on after them"


def _of_system(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return "not enough memory"


class _Pace:
    """How far and how fast it goes."""

    def __init__(self, source: str, done: int, total: int | None) -> None:
        self.source, self.first, self.done, self.total = source, done, done, total
        self.start = time.monotonic()

    def next(self) -> VideoProgress:
        """One frame more."""
        self.done += 1
        seconds = time.monotonic() - self.start
        rate = (self.done - self.first) / seconds if seconds else 0.0
        left = None if self.total is None or not rate else max(0, self.total - self.done) / rate
        return VideoProgress(self.source, self.done, self.total, rate, left)
