"""Where a run stands in its stages."""

from i2icli.stage import Clock, Stage


def test_a_fade_that_training_ends_within_is_shown_as_far_as_it_went():
    stage = Stage("16 px, fading in", steps=5, fading=True, fade_steps=10)
    assert [Clock(stage, step).alpha for step in (0, 3, 5)] == [0.0, 0.3, 0.5]
    assert Clock(stage, 5).progress == 1.0


def test_a_whole_fade_ends_at_one_and_other_stages_stay_there():
    assert [Clock(Stage("", 4, fading=True), step).alpha for step in (0, 1, 4)] == [0.0, 0.25, 1.0]
    assert Clock(Stage("", 12, fading=True, fade_steps=10), 12).alpha == 1.0
    assert Clock(Stage("", 4), 0).alpha == 1.0
