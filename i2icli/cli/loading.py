"""Loading the model that a command is given, and what there is to say about it."""

from typing import TYPE_CHECKING

from i2icli.cli.console import say
from i2icli.inference.options import ModelOptions
from i2icli.logs import LOG, timed

if TYPE_CHECKING:
    from rich.console import Console

    from i2icli.inference.translator import Translator


def load_translator(model: str, machine: ModelOptions, console: "Console") -> "Translator":
    """The model, ready to translate; its notes are printed, and what computes it once that is known.

    Raises UserError if there is none, or if it cannot be used.
    """
    from i2icli.inference.translator import Translator  # loads only when there is work

    def tell(line: str) -> None:
        say(console, f"note: {line}")

    with timed("opening the model"):
        translator = Translator.load(
            model, machine.device, machine.precision, machine.runtime, weights=machine.weights, tell=tell
        )
    LOG.info("model: %s", translator.model)
    for note in translator.notes:
        tell(note)
    return translator
