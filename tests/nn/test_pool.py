"""The image pool: what it returns, and that its state is complete."""

from pathlib import Path

import torch

from i2icli.nn.pool import ImagePool


def numbered(first: int, count: int = 1) -> torch.Tensor:
    return torch.arange(first, first + count, dtype=torch.float32).reshape(count, 1, 1, 1)


def test_while_filling_it_returns_its_input_and_draws_nothing() -> None:
    pool = ImagePool(4)
    before = torch.get_rng_state()
    assert torch.equal(pool(numbered(0, 3)), numbered(0, 3))
    assert torch.equal(torch.get_rng_state(), before)


def test_when_full_about_half_of_its_output_is_older() -> None:
    torch.manual_seed(0)
    pool = ImagePool(5)
    returned = torch.cat([pool(numbered(i)) for i in range(400)]).flatten()
    older = (returned[5:] != torch.arange(5, 400)).float().mean().item()
    assert 0.4 < older < 0.6
    assert all(past <= now for now, past in enumerate(returned.tolist()))


def test_size_zero_disables_the_pool() -> None:
    pool = ImagePool(0)
    fake = numbered(0).requires_grad_()
    assert torch.equal(pool(fake), fake)
    assert not pool(fake).requires_grad
    assert not pool.images


def test_its_output_is_detached() -> None:
    assert not ImagePool(2)(numbered(0).requires_grad_() * 2).requires_grad


def test_a_restored_pool_continues_identically(tmp_path: Path) -> None:
    def go_on(pool: ImagePool) -> list[float]:
        torch.manual_seed(7)
        return [pool(numbered(100 + i)).item() for i in range(20)]

    torch.manual_seed(0)
    pool = ImagePool(3)
    for i in range(10):
        pool(numbered(i))
    torch.save(pool.state_dict(), tmp_path / "resume.pt")
    other = ImagePool(3)
    other.load_state_dict(torch.load(tmp_path / "resume.pt", weights_only=True))

    assert go_on(other) == go_on(pool)


def test_a_saved_state_does_not_change_when_the_pool_does() -> None:
    pool = ImagePool(1, uniform=lambda: 1.0, slot=lambda _: 0)
    pool(numbered(0))
    state = pool.state_dict()
    pool(numbered(1))
    other = ImagePool(1)
    other.load_state_dict(state)
    assert other.images[0].item() == 0
