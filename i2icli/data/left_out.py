"""How much of a data set may be left out before training on the rest is refused."""

from collections.abc import Sequence

from i2icli.errors import UserError

MOST = 0.25
"""Share of the images, at most, that cannot be used."""


def refuse_remainder(lost: Sequence[str], total: int, where: object) -> None:
    """Raise UserError if too many of the images of a folder or side cannot be used.

    lost: why each of them cannot.
    """
    if len(lost) > MOST * total:
        raise UserError(
            f"{where}: {len(lost):,} of {total:,} images cannot be used, training goes on without "
            f"{MOST:.0%} at most; repair or remove them: {lost[0]}"
        )
