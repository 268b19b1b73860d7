"""The one number by which the best model is kept."""

from i2icli.engine.validation import quality

SCORES = {
    "psnr/A_to_B": 10.0,
    "psnr/B_to_A": 20.0,
    "ssim/A_to_B": 0.5,
    "accuracy": 0.75,
    "source_accuracy": 1.0,
}


def test_the_criterion_is_a_mean_over_answers() -> None:
    assert quality(SCORES, "psnr") == 15.0
    assert quality(SCORES, "accuracy") == 0.75


def test_what_was_not_measured_keeps_no_model() -> None:
    assert quality({"ssim": 0.5, "psnr_of_others": 1.0}, "psnr") is None
