"""Encodings follow from container and source; what cannot be is refused with what can."""

import pytest

from i2icli.errors import UserError
from i2icli.video import EncodeOptions, encoders, plan_encoding, probe
from tests.video import films


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    """A small video with AAC sound."""
    path = films.film(tmp_path_factory.mktemp("videos") / "a.mp4", 4, sound=("-c:a", "aac"))
    return probe(path)


def planned(info, target, *, size=None, alpha=False, bits=8, **options):
    target = info.path.parent / target
    options = EncodeOptions(**{"audio": "none", **options})
    return plan_encoding(target, info, options, size=size or info.size, alpha=alpha, bits=bits)


@pytest.mark.parametrize(
    ("target", "given", "codec", "pixel_format"),
    [
        ("b.mp4", {}, "libx264", "yuv420p"),
        ("b.MKV", {}, "libx264", "yuv420p"),
        ("b.mp4", {"bits": 10}, "libx265", "yuv420p10le"),
        ("b.webm", {}, "libvpx-vp9", "yuv420p"),
        ("b.webm", {"alpha": True}, "libvpx-vp9", "yuva420p"),
        ("b.webm", {"bits": 16}, "libvpx-vp9", "yuv420p10le"),
        ("b.mov", {"alpha": True}, "prores_ks", "yuva444p10le"),
        ("b.mkv", {"alpha": True, "bits": 16}, "ffv1", "gbrap16le"),
        ("b.avi", {}, "mpeg4", "yuv420p"),
        ("b.gif", {}, "gif", "pal8"),
        ("b.png", {"alpha": True}, "apng", "rgba"),
        ("b.mp4", {"codec": "H264", "pixel_format": "yuv444p"}, "libx264", "yuv444p"),
        ("b.mp4", {"codec": "hevc"}, "libx265", "yuv420p"),
    ],
)
def test_defaults(info, target, given, codec, pixel_format):
    encoding = planned(info, target, **given)
    assert (encoding.codec, encoding.pixel_format) == (codec, pixel_format)
    assert encoding.bits == (16 if given.get("bits", 8) > 8 else 8)
    assert encoding.alpha == given.get("alpha", False)


def test_quality_and_preset_reach_the_encoder(info):
    assert planned(info, "b.mp4").arguments == ("-crf", "16")
    assert planned(info, "b.mp4", quality=30, preset="slow").arguments == ("-crf", "30", "-preset", "slow")
    assert planned(info, "b.webp", quality=25).arguments == ("-quality", "75")


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("b.xyz", {}, r"no video is written as \.xyz; take \.mp4, \.m4v, \.mov"),
        ("b", {}, "a name without suffix"),
        ("b.mp4", {"codec": "nosuch"}, "--codec nosuch: not in this ffmpeg; it has .*h264.*vp9"),
        ("b.mp4", {"pixel_format": "rgb24"}, "--pixel-format rgb24: not one of libx264, which has yuv420p, "),
        ("b.webm", {"codec": "h264"}, r"cannot write libx264 with yuv420p as \.webm: .*VP8 or VP9"),
        ("b.mp4", {"codec": "vp8"}, r"cannot write libvpx with yuv420p as \.mp4: "),
        ("b.mp4", {"preset": "nosuch"}, "cannot write libx264"),
        ("b.webm", {"preset": "slow"}, "--preset slow: libvpx-vp9 has no presets"),
        ("b.mkv", {"codec": "ffv1", "quality": 3}, "--quality 3: ffv1 has one quality only"),
        (
            "b.webm",
            {"audio": "copy"},
            r"\.webm cannot hold the sound of .*a\.mp4 \(aac\); write \.mp4, .*opus",
        ),
        ("b.webm", {"audio": "aac"}, r"\.webm cannot hold aac; write \.mkv"),
    ],
)
def test_what_cannot_be_is_refused(info, target, options, message):
    with pytest.raises(UserError, match=message) as caught:
        planned(info, target, **options)
    assert "\n" not in str(caught.value)


def test_sound_may_be_encoded_anew(info):
    assert [each.codec for each in planned(info, "b.webm", audio="opus").tracks] == ["libopus"]
    assert planned(info, "b.mp4", audio="copy").streams == ("audio",)


def test_animations_say_that_they_have_no_sound(info):
    assert any(
        "track 1 (sound, aac) is left out" in note for note in planned(info, "b.gif", audio="copy").notes
    )


def test_hardware_that_does_not_work_is_replaced(info, monkeypatch):
    monkeypatch.setattr(encoders, "video_encoders", lambda: ("h264_nvenc", "libx264"))
    real = encoders.trial
    failing = lambda words, *given: "no device" if "h264_nvenc" in words else real(words, *given)  # noqa: E731
    monkeypatch.setattr("i2icli.video.encoding.trial", failing)
    encoding = planned(info, "b.mp4", codec="h264_nvenc", preset="p4")
    assert encoding.codec == "libx264"
    assert encoding.notes == ("h264_nvenc does not work here (no device): libx264 is used",)


def test_variable_rates_are_not_reordered(info, tmp_path):
    uneven = probe(films.film(tmp_path / "a.mkv", 10, times=films.VARIABLE))
    assert "-bf" in planned(uneven, "b.mp4").arguments
    assert "-bf" not in planned(info, "b.mp4").arguments


def test_sound_that_a_broadcast_stream_cannot_name_is_refused(tmp_path):
    deep = probe(films.film(tmp_path / "a.mov", 3, sound=("-c:a", "pcm_s24be")))
    with pytest.raises(UserError, match=r"\.ts cannot hold the sound of .*a\.mov \(pcm_s24be\); write \.mp4"):
        planned(deep, "b.ts", audio="copy")
