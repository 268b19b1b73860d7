"""Which graphs there are, and what their files are called."""

from pathlib import Path

import pytest

from i2icli.errors import UserError
from i2icli.export.files import belonging, check_free, part_path, safe_name
from i2icli.export.selecting import groups, places
from tests.tiny import tiny_config


def found(name, target=None, source=None, **changes):
    config = tiny_config(name, **changes)
    return groups(config, config.tasks(config.stages()[-1]), target, source)


def names(groups):
    return [[(task.name, task.source) for task in each] for each in groups]


def test_targets_of_the_same_networks_are_one_graph():
    every = [[(name, None) for name in ("autumn", "night", "summer", "winter")]]
    assert (
        names(found("stargan")) == names(found("stargan", "NIGHT")) == names(found("stargan", "all")) == every
    )


def test_targets_of_their_own_networks_are_a_graph_each():
    assert names(found("cyclegan")) == [[("B", None)], [("A", None)]]
    assert names(found("cyclegan", "a")) == [[("A", None)]]
    assert [each[0].graph for each in found("lapgan")] == ["x2", "x4", "generate"]


def test_where_networks_depend_on_the_source_every_pair_is_one():
    three = {"domains": ("a", "b", "c")}
    pairs = [[(to, source)] for to in "abc" for source in "abc" if source != to]
    assert names(found("combogan", **three)) == pairs
    assert names(found("combogan", "a", **three)) == [[("a", "b")], [("a", "c")]]
    assert names(found("combogan", "a", "C", **three)) == [[("a", "c")]]
    assert names(found("combogan", None, "c", **three)) == [[("a", "c")], [("b", "c")]]


def test_many_graphs_have_to_be_asked_for():
    five = {"domains": tuple("abcde")}
    with pytest.raises(UserError, match=r"20 graphs.*--target all"):
        found("combogan", **five)
    assert len(found("combogan", "all", **five)) == 20


def test_what_there_is_not_is_refused():
    with pytest.raises(UserError, match=r"unknown target 'C'.*B, A"):
        found("cyclegan", "C")
    with pytest.raises(UserError, match=r"--source B: .*do not depend on the source"):
        found("cyclegan", None, "B")
    with pytest.raises(UserError, match=r"unknown source 'q'"):
        found("combogan", None, "q")
    with pytest.raises(UserError, match=r"nothing translates from autumn to autumn"):
        found("combogan", "autumn", "autumn")


def paths(groups, model="runs/x/model.safetensors", to="onnx", out=None):
    wanted = places(Path(model), groups, to, None if out is None else Path(out))
    return [str(each.path) for each in wanted]


def test_files_are_called_after_the_run_or_the_targets():
    one, two = found("stargan"), found("cyclegan")
    assert paths(one) == ["runs/x/x.onnx"]
    assert paths(one, "a/latest_net_G.pth") == ["a/latest_net_G.onnx"]
    assert paths(two) == ["runs/x/x-onnx/B.onnx", "runs/x/x-onnx/A.onnx"]
    assert paths(two[:1]) == ["runs/x/B.onnx"]
    assert paths(two, to="openvino", out="o") == ["o/B.xml", "o/A.xml"]
    assert paths(one, out="o.onnx") == ["o.onnx"]
    pair = found("combogan", "autumn", "night")
    assert paths(pair, out="o") == ["o/night-to-autumn.onnx"]


def test_a_file_cannot_hold_several_graphs_or_another_format():
    with pytest.raises(UserError, match=r"2 graphs; choose a folder"):
        paths(found("cyclegan"), out="o.onnx")
    with pytest.raises(UserError, match=r"--to openvino writes \.xml"):
        paths(found("stargan"), to="openvino", out="o.onnx")


def test_targets_cannot_lead_out_of_the_folder():
    assert safe_name("../a/b c,d") == ".._a_b_c+d".replace(".", "_")
    assert safe_name("") == "model"
    assert len(safe_name("x" * 500)) < 100


def test_what_belongs_to_a_graph_is_told_from_others(tmp_path):
    for name in (
        "a.onnx",
        "a.first.onnx",
        "a.encode-reference.onnx",
        "a.b.onnx",
        "ab.onnx",
        "a.txt",
        "a.xml",
        "a.bin",
    ):
        (tmp_path / name).touch()
    own = [each.name for each in belonging(tmp_path / "a.onnx")]
    assert own == ["a.encode-reference.onnx", "a.first.onnx", "a.onnx"]
    assert [each.name for each in belonging(tmp_path / "a.xml")] == ["a.bin", "a.xml"]
    assert part_path(tmp_path / "a.onnx", "begin").name == "a.begin.onnx"
    with pytest.raises(UserError, match=r"a\.encode-reference\.onnx and 2 more: there already"):
        check_free([tmp_path / "a.onnx"], overwrite=False)
    check_free([tmp_path / "a.onnx"], overwrite=True)
    check_free([tmp_path / "b.onnx"], overwrite=False)
