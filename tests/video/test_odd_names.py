"""No name of a file is an address, an option or a pattern for ffmpeg, and no file names another one."""

from pathlib import Path

import pytest

from i2icli.errors import UserError
from i2icli.video import open_source, write_video
from tests.video import films

NAMES = (
    "http:x.mp4",
    "-y.mp4",
    "concat:a.mp4|b.mp4",
    "file:x.mp4",
    "pipe:0.mp4",
    "data:video,x.mp4",
    "subfile,,start,0,,:x.mp4",
    "a%03d.mp4",
    "a[0-9]*'\\.mp4",
    "tcp:0.mp4?listen",
)


@pytest.mark.parametrize("name", NAMES)
def test_videos_of_odd_names_are_written_and_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    path = Path(name if name.endswith(".mp4") else f"{name}.mp4")
    write_video(path, (films.frame(index) for index in range(3)), 10)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    source = open_source(str(path))
    assert source.info.frames == 3
    with source.frames() as frames:
        assert [films.number(frame.item.read().pixels) for frame in frames] == [0, 1, 2]


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile secret.mp4\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    "<AdaptationSet><Representation><BaseURL>secret.mp4</BaseURL></Representation></AdaptationSet></Period>"
    "</MPD>",
    "session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "images": "DKIF secret.mp4",
}


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ffconcat", ".mpd", ".sdp", ".mkv"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_lists_of_other_files_are_refused(kind: str, suffix: str, tmp_path: Path):
    films.film(tmp_path / "secret.mp4", 3)
    (tmp_path / f"list{suffix}").write_text(PLAYLISTS[kind])
    with pytest.raises(UserError, match="not a video that ffmpeg can read"):
        open_source(str(tmp_path / f"list{suffix}"))
