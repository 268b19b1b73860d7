"""Dropout as noise that never ends."""

import torch

from i2icli.nn.dropout import NoiseDropout

X = torch.ones(4, 8, 16, 16)


def test_it_stays_on_after_training() -> None:
    torch.manual_seed(0)
    y = NoiseDropout(0.25).eval()(X)
    assert set(y.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs((y == 0).float().mean().item() - 0.25) < 0.05


def test_after_training_the_same_seed_gives_the_same_noise_and_another_seed_other_noise() -> None:
    dropout = NoiseDropout(0.5).eval()
    answers = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        answers.append(dropout(X))
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


def test_after_training_all_images_of_a_batch_share_one_mask_and_in_training_none_do() -> None:
    torch.manual_seed(0)
    dropout = NoiseDropout(0.5)
    shared, own = dropout.eval()(X), dropout.train()(X)
    assert torch.equal(shared[0], shared[1])
    assert not torch.equal(own[0], own[1])


def test_without_probability_it_draws_nothing() -> None:
    dropout = NoiseDropout(0.0)
    before = torch.get_rng_state()
    assert dropout.train()(X) is X
    assert dropout.eval()(X) is X
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_stays_half() -> None:
    assert NoiseDropout(0.5).eval()(X.bfloat16()).dtype == torch.bfloat16
