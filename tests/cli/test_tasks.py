"""Tasks in words."""

from i2icli.cli.tasks import task_lines
from i2icli.conditions import Condition
from i2icli.task import Port, Task


def test_what_is_computed_from_an_image_and_what_is_remembered_is_said():
    source = Port(1, "condition", Condition("edges"), multiple=4)
    (line,) = task_lines([Task(None, {"source": source}, Port(), memory={"frames": Port(6)})])
    assert line == (
        "translate: source (edges of the image given) of 1 channel, sides padded to multiples of 4 -> "
        "image of 3 channels; remembers the frames before, see i2i video"
    )
