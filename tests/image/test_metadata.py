"""What files say about an image goes on to the results made from it, where their format holds it."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational
from tifffile import TiffFile, imwrite

from i2icli.image import DecodedImage, FileItem, read_image, read_map, resize, to_pillow, write_image
from i2icli.image.geo import KEYS, PIXEL_SCALE, SENSOR_MODEL, TIE_POINTS, TRANSFORMATION
from i2icli.image.halves import HalfItem
from i2icli.image.stacked import StackedItem
from i2icli.image.xmp import cut
from i2icli.task import StackPart

HEIGHT, WIDTH = 6, 8
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = (
    '<?xpacket begin="\ufeff" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="d" xmlns:tiff="t" xmlns:xmp="m" '
    'exif:GPSLatitude="48,12.5N" tiff:Orientation=\'6\' tiff:Make="Acme > Co">'
    "<exif:GPSLongitude>11,30.2E</exif:GPSLongitude><dc:title>a zebra &amp; a horse</dc:title>"
    "<xmp:Thumbnails><rdf:Alt><rdf:li>AAAA</rdf:li></rdf:Alt></xmp:Thumbnails>"
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode()
LATITUDE = (48.0, 12.0, 30.0)
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF"}


def camera_exif() -> Image.Exif:
    """As a phone writes it: with a position, a rotation, makers' notes."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B], exif[0x8298] = "Acme", "Nine", "Ann", "Ann 2026"
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update(
        {
            0x829A: IFDRational(1, 125),
            0x8827: 400,
            0x9003: "2026:01:02 03:04:05",
            0x927C: b"secret",
            0x9286: b"ASCII\0\0\0hello",
            0xA002: HEIGHT,
            0xA003: WIDTH,
        }
    )
    exif.get_ifd(0x8825).update({1: "N", 2: LATITUDE, 3: "E", 4: (11.0, 30.0, 12.0)})
    return exif


def photo(path: Path, **more: Any) -> Path:
    """A photo (stored lying, shown upright) with all that its format holds."""
    pixels = np.random.default_rng(0).integers(0, 256, (WIDTH, HEIGHT, 3), np.uint8)
    format = FORMATS[path.suffix[1:]]
    extra: dict[str, Any] = {"dpi": (240, 240)} if format != "WEBP" else {}
    if format == "PNG":
        info = PngInfo()
        info.add_text("Comment", "hello")
        info.add_itxt("Title", "zèbre")
        info.add_text("exif:GPSLatitude", "48/1")
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        extra |= {"pnginfo": info}
    else:
        extra |= {"xmp": XMP} if format != "TIFF" else {}
    extra |= {"comment": b"hello"} if format == "JPEG" else {}
    extra |= {"lossless": True} if format == "WEBP" else {}
    exif = camera_exif()
    if format == "TIFF":
        exif[700] = XMP
        for tag in (0x8769, 0x8825):
            exif[tag] = dict(exif.get_ifd(tag))
    Image.fromarray(pixels).save(path, format, icc_profile=ICC, **(extra | {"exif": exif} | more))
    return path


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("keep", [False, True], ids=["", "keeping the position"])
def test_metadata_goes_from_format_to_format(source: str, target: str, keep: bool, tmp_path: Path) -> None:
    image = read_image(photo(tmp_path / f"a.{source}")).keeping_gps(keep)
    assert image.metadata is not None
    assert image.metadata.unread == ()
    write_image(result := tmp_path / f"b.{target}", image)
    whole = result.read_bytes()
    assert b"secret" not in whole
    assert (b"GPS" in whole) is (keep and source != "jpg") or keep
    with Image.open(result) as found:
        exif = found.getexif()
        assert (exif[0x010F], exif[0x0110], exif[0x8298]) == ("Acme", "Nine", "Ann 2026")
        assert 0x0112 not in exif or exif[0x0112] == 1
        camera = exif.get_ifd(0x8769)
        assert (camera[0x829A], camera[0x8827], camera[0x9003]) == (1 / 125, 400, "2026:01:02 03:04:05")
        assert (camera[0xA002], camera[0xA003]) == found.size == (WIDTH, HEIGHT)
        position = exif.get_ifd(0x8825)
        assert position.get(2) == (LATITUDE if keep else None)
        assert found.info["icc_profile"] == ICC
        xmp = found.tag_v2[700] if target == "tif" else found.info["xmp"]
        assert b"a zebra &amp; a horse" in xmp
        assert (b"GPSLatitude" in xmp) is keep
        assert b"Orientation" not in xmp
        if target != "webp" and source != "webp":
            assert found.info["dpi"] == pytest.approx((240, 240), abs=0.01)
        if source in ("jpg", "png"):
            texts = {
                "png": found.info.get("Comment"),
                "tif": exif.get(0x010E),
                "jpg": found.info.get("comment"),
            }
            assert texts.get(target, "hello") in ("hello", b"hello")
        if (source, target) == ("png", "png"):
            assert found.text["Title"] == "zèbre"
            assert ("exif:GPSLatitude" in found.text) is keep
    again = read_image(result)
    np.testing.assert_array_equal(again.pixels, image.pixels) if not {source, target} & {"jpg"} else None
    assert again.metadata is not None
    assert again.metadata.unread == ()


@pytest.mark.parametrize("keep", [False, True], ids=["", "keeping the position"])
def test_avif_carries_metadata_and_is_read_with_broken_ones(keep: bool, tmp_path: Path) -> None:
    image = replace(read_image(photo(tmp_path / "a.jpg")), lossless=False).keeping_gps(keep)
    write_image(tmp_path / "b.avif", image)
    with Image.open(tmp_path / "b.avif") as found:
        assert found.getexif()[0x010F] == "Acme"
        assert found.getexif().get_ifd(0x8825).get(2) == (LATITUDE if keep else None)
        assert b"a zebra" in found.info["xmp"]
        assert found.info["icc_profile"] == ICC
    data = (tmp_path / "b.avif").read_bytes()
    again = read_image(data)
    assert again.metadata is not None
    assert [entry.tag for entry in again.metadata.exif.main][:2] == [0x010F, 0x0110]
    assert again.metadata.unread == ()
    broken = read_image(
        data.replace(b"II*\0", b"XX*\0").replace(b"MM\0*", b"XX\0*").replace(b"<?xp", b"<<<<")
    )
    np.testing.assert_array_equal(broken.pixels, again.pixels)
    assert broken.metadata is not None
    assert broken.metadata.unread == ("EXIF", "XMP")


def test_heic_carries_metadata(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs: pip install 'i2icli[heic]'")
    write_image(tmp_path / "b.heic", read_image(photo(tmp_path / "a.jpg")))
    found = heif.open_heif(tmp_path / "b.heic")
    assert b"Acme" in found.info["exif"]
    assert b"a zebra" in found.info["xmp"]
    again = read_image(tmp_path / "b.heic")
    assert again.pixels.shape == (HEIGHT, WIDTH, 3)
    assert again.metadata is not None
    assert not again.metadata.exif.gps
    assert again.metadata.unread == ()


def test_resolution_and_size_follow_the_result(tmp_path: Path) -> None:
    image = read_image(photo(tmp_path / "a.jpg"))
    half = replace(image, pixels=resize(image.pixels, (HEIGHT // 2, WIDTH // 2)))
    write_image(tmp_path / "b.png", half)
    with Image.open(tmp_path / "b.png") as found:
        assert found.info["dpi"] == pytest.approx((120, 120), abs=0.02)
        assert found.getexif().get_ifd(0x8769)[0xA002] == WIDTH // 2


@pytest.mark.parametrize("keep", [False, True], ids=["", "keeping the position"])
@pytest.mark.parametrize("icc", [ICC, None], ids=["with a profile", ""])
def test_jpeg_2000_carries_exif_and_xmp(keep: bool, icc: bytes | None, tmp_path: Path) -> None:
    image = replace(read_image(photo(tmp_path / "a.png")), icc=icc).keeping_gps(keep)
    write_image(tmp_path / "b.jp2", image)
    assert b"secret" not in (tmp_path / "b.jp2").read_bytes()
    again = read_image(tmp_path / "b.jp2")
    np.testing.assert_array_equal(again.pixels, image.pixels)
    assert (again.icc, again.metadata is not None) == (icc, True)
    assert again.metadata is not None
    assert again.metadata.unread == ()
    assert b"a zebra" in (again.metadata.xmp or b"")
    assert bool(again.metadata.exif.gps) is keep
    write_image(tmp_path / "c.png", again)
    with Image.open(tmp_path / "c.png") as found:
        assert found.getexif()[0x010F] == "Acme"
        assert 0x0112 not in found.getexif()


@pytest.mark.parametrize("length", [0, 5, 10**6])
def test_a_jpeg_2000_is_read_with_broken_metadata(length: int, tmp_path: Path) -> None:
    image = read_image(photo(tmp_path / "a.png"))
    write_image(tmp_path / "b.jp2", image)
    data = bytearray((tmp_path / "b.jp2").read_bytes())
    at = data.index(b"JpgTiffExif->JP2") + 16
    data[at : at + 8] = bytes(8)
    extra = (24 + length).to_bytes(4) + b"uuid" + b"JpgTiffExif->JP2" + bytes(min(length, 5))
    (tmp_path / "b.jp2").write_bytes(bytes(data) + extra)
    again = read_image(tmp_path / "b.jp2")
    np.testing.assert_array_equal(again.pixels, image.pixels)
    assert again.metadata is not None
    assert again.metadata.unread == ("EXIF",)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_images_of_16_bit_carry_metadata(suffix: str, tmp_path: Path) -> None:
    image = read_image(photo(tmp_path / "a.jpg"))
    deep = replace(image, pixels=image.pixels.astype(np.uint16) * 257)
    write_image(tmp_path / f"b.{suffix}", deep)
    again = read_image(tmp_path / f"b.{suffix}")
    np.testing.assert_array_equal(again.pixels, deep.pixels)
    assert again.metadata is not None
    assert again.metadata.exif.main
    assert again.metadata.exif.photo
    assert not again.metadata.exif.gps
    assert again.metadata.resolution == pytest.approx((240, 240), abs=0.01)
    assert again.icc == ICC


def test_what_is_too_large_for_a_format_is_left_out(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png", pnginfo=(info := PngInfo()))
    info.add_text("Comment", "x" * 100_000)
    info.add_itxt("XML:com.adobe.xmp", f"<x>{'y' * 100_000}</x>")
    exif = camera_exif()
    exif[0x013B] = "z" * 100_000
    photo(path, pnginfo=info, exif=exif)
    image = read_image(path)
    write_image(tmp_path / "b.jpg", image)
    write_image(tmp_path / "b.png", image)
    with Image.open(tmp_path / "b.jpg") as small, Image.open(tmp_path / "b.png") as large:
        assert "comment" not in small.info
        assert small.info["icc_profile"] == ICC
        assert large.text["Comment"] == "x" * 100_000
        assert large.getexif()[0x013B] == "z" * 100_000


def test_photos_in_memory_keep_their_metadata(tmp_path: Path) -> None:
    from i2icli.image.items import PillowItem

    with Image.open(photo(tmp_path / "a.jpg")) as opened:
        made = to_pillow(PillowItem(opened).read())
    assert made.info["icc_profile"] == ICC
    assert made.info["dpi"] == pytest.approx((240, 240))
    assert made.getexif()[0x010F] == "Acme"
    assert not made.getexif().get_ifd(0x8825)


def test_maps_carry_nothing(tmp_path: Path) -> None:
    ids = read_map(photo(tmp_path / "a.png"))
    assert not hasattr(ids, "metadata")


SCALE, POINTS = (10.0, 20.0, 0.0), (0.0, 0.0, 0.0, 500_000.0, 4_600_000.0, 0.0)
MATRIX = (10.0, 0, 0, 5e5, 0, -20.0, 0, 4.6e6, 0, 0, 0, 0, 0, 0, 0, 1)
OF_CORNERS, OF_CENTRES = (1, 1, 0, 1, 1025, 0, 1, 1), (1, 1, 0, 1, 1025, 0, 1, 2)


def geotiff(path: Path, *, order: str = "<", big: bool = False, keys: tuple[int, ...] = OF_CORNERS) -> Path:
    tags: list[Any] = [
        (PIXEL_SCALE, "d", 3, SCALE, True),
        (TIE_POINTS, "d", 6, POINTS, True),
        (TRANSFORMATION, "d", 16, MATRIX, True),
        (KEYS, "H", len(keys), keys, True),
        (34737, "s", 0, "WGS 84|", True),
        (SENSOR_MODEL, "d", 92, tuple(map(float, range(92))), True),
        (42113, "s", 0, "-9999", True),
    ]
    pixels = np.random.default_rng(0).integers(0, 4000, (HEIGHT, WIDTH, 5), np.uint16)
    arguments: Any = {"byteorder": order, "bigtiff": big, "extratags": tags, "software": "Mapper"}
    imwrite(path, pixels, photometric="minisblack", planarconfig="contig", metadata=None, **arguments)
    return path


def tags_of(path: Path) -> dict[int, Any]:
    with TiffFile(path) as tiff:
        return {tag.code: tag.value for tag in tiff.pages.first.tags}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_geotiff_stays_where_it_is(order: str, big: bool, tmp_path: Path) -> None:
    image = read_image(geotiff(tmp_path / "a.tif", order=order, big=big))
    write_image(tmp_path / "b.tif", image)
    found = tags_of(tmp_path / "b.tif")
    assert (found[PIXEL_SCALE], found[TIE_POINTS], found[TRANSFORMATION]) == (SCALE, POINTS, MATRIX)
    assert (found[KEYS], found[34737], found[305]) == (OF_CORNERS, "WGS 84|", "Mapper")
    assert found[SENSOR_MODEL] == tuple(map(float, range(92)))
    assert 42113 not in found  # of the values of the input
    np.testing.assert_array_equal(read_image(tmp_path / "b.tif").pixels, image.pixels)


@pytest.mark.parametrize("keys", [OF_CORNERS, OF_CENTRES])
def test_the_place_on_the_map_follows_the_size(keys: tuple[int, ...], tmp_path: Path) -> None:
    image = read_image(geotiff(tmp_path / "a.tif", keys=keys))
    pixels = np.zeros((HEIGHT // 2, WIDTH * 2, 3), np.uint8)
    write_image(tmp_path / "b.tif", replace(image, pixels=pixels))
    found = tags_of(tmp_path / "b.tif")
    assert SENSOR_MODEL not in found
    assert found[PIXEL_SCALE] == (5.0, 40.0, 0.0)
    shift = 0.5 if keys is OF_CENTRES else 0.0
    for x, y in ((0.0, 0.0), (WIDTH * 2.0, HEIGHT / 2)):  # corners, in pixels of the result
        easting, northing = SCALE[0] * (x / 2 - shift) + POINTS[3], POINTS[4] - SCALE[1] * (y * 2 - shift)
        i, j, _, east, north, _ = found[TIE_POINTS]
        assert found[PIXEL_SCALE][0] * (x - shift - i) + east == pytest.approx(easting, abs=1e-6)
        assert north - found[PIXEL_SCALE][1] * (y - shift - j) == pytest.approx(northing, abs=1e-6)
        matrix = np.array(found[TRANSFORMATION]).reshape(4, 4)
        place = matrix @ [x - shift, y - shift, 0, 1]
        assert place[:2] == pytest.approx((easting, northing), abs=1e-6)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_stacks_of_microscopes_keep_the_size_of_pixels(kind: str, tmp_path: Path) -> None:
    size, stack = 0.1625, np.zeros((5, 16, 16), np.uint16)  # micrometres
    how: dict[str, Any] = {"resolution": (1 / size, 1 / size), "metadata": {"axes": "CYX", "unit": "um"}}
    if kind == "ome":
        how = {"metadata": {"axes": "CYX", "PhysicalSizeX": size * 1000, "PhysicalSizeXUnit": "nm"}}
        how["metadata"] |= {"PhysicalSizeY": size, "PhysicalSizeYUnit": "\N{MICRO SIGN}m"}
    imwrite(tmp_path / "a.tif", stack, **{kind: True}, **how)
    image = read_image(tmp_path / "a.tif")
    assert image.metadata is not None
    assert image.metadata.resolution == pytest.approx((25_400 / size,) * 2)
    write_image(tmp_path / "same.tif", image)
    write_image(tmp_path / "half.tif", replace(image, pixels=image.pixels[:8, :8].copy()))
    for name, wanted in (("same", size), ("half", 2 * size)):
        again = read_image(tmp_path / f"{name}.tif").metadata
        assert again is not None
        assert again.resolution == pytest.approx((25_400 / wanted,) * 2)
    with TiffFile(tmp_path / "same.tif") as tiff:
        assert getattr(tiff, f"is_{kind}")


def test_other_formats_hold_no_place_on_the_map(tmp_path: Path) -> None:
    image = read_image(geotiff(tmp_path / "a.tif"))
    write_image(tmp_path / "b.png", replace(image, pixels=image.pixels[..., :3].copy()))
    with Image.open(tmp_path / "b.png") as found:
        assert found.getexif()[305] == "Mapper"


@pytest.mark.parametrize(
    "text", ["ImageJ=1.54\nimages=1\n", '{"shape": [6, 8]}', "<?xml version='1.0'?><OME/>"]
)
def test_descriptions_of_stacks_are_not_those_of_results(text: str, tmp_path: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    imwrite(tmp_path / "a.tif", pixels, description=text, metadata=None)
    write_image(tmp_path / "b.tif", read_image(tmp_path / "a.tif"))
    assert 270 not in tags_of(tmp_path / "b.tif")
    imwrite(tmp_path / "a.tif", pixels, description="a leaf", metadata=None)
    write_image(tmp_path / "b.tif", read_image(tmp_path / "a.tif"))
    assert tags_of(tmp_path / "b.tif")[270] == "a leaf"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_positions_are_cut_out_of_xmp(encoding: str) -> None:
    packet = (
        "<r xmlns:a='1' xmlns:b='2' a:GPSLatitude = \"1>2\" b:keep='GPS in a text' b:GpsLongitude='3'>"
        "<a:GPSAltitude/><b:x>latitude<a:GPSTimeStamp><b:deep b:GPSx='1'/></a:GPSTimeStamp></b:x>"
        "<!-- > --><a:Longitude>5</a:Longitude ><b:y/></r>"
    )
    found = cut(packet.encode(encoding), keep_gps=False).decode()
    assert found == (
        "<r xmlns:a='1' xmlns:b='2' b:keep='GPS in a text'><b:x>latitude</b:x><!-- > --><b:y/></r>"
    )
    assert cut(packet.encode(encoding), keep_gps=True).decode() == packet


def test_an_image_without_metadata_gets_none(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", DecodedImage(np.zeros((2, 2, 3), np.uint8), None, "png"))
    names = [
        name for name in (b"eXIf", b"pHYs", b"tEXt", b"iTXt") if name in (tmp_path / "a.png").read_bytes()
    ]
    assert names == []
    assert read_image((tmp_path / "a.png").read_bytes()).metadata.texts == ()  # type: ignore[union-attr]


def test_metadata_of_bytes_is_that_of_files(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.webp")
    assert read_image(path.read_bytes(), "a").metadata == read_image(path).metadata
    assert BytesIO(path.read_bytes()).read(4) == b"RIFF"


def test_halves_and_stacks_keep_the_resolution_of_their_file(tmp_path: Path) -> None:
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.png", dpi=(300, 300))
    item = FileItem(tmp_path / "a.png")
    for given in (HalfItem(item, True), StackedItem((item, item), (StackPart("a", 1), StackPart("b", 3)))):
        write_image(tmp_path / "b.tif", given.read())
        metadata = read_image(tmp_path / "b.tif").metadata
        assert metadata is not None
        assert metadata.resolution == pytest.approx((300, 300), rel=1e-3)


def test_half_of_a_geotiff_has_no_place_on_the_map(tmp_path: Path) -> None:
    half = HalfItem(FileItem(geotiff(tmp_path / "a.tif")), True).read()
    write_image(tmp_path / "b.tif", half)
    assert not {PIXEL_SCALE, TIE_POINTS, SENSOR_MODEL} & tags_of(tmp_path / "b.tif").keys()
