"""`i2i push RUN hf://owner/name`: publish a trained model."""

from typing import Annotated

import typer

from i2icli.cli.card import KeepNames, Licence, Run
from i2icli.cli.console import errors, output, say

EXAMPLES = (
    "Try:  i2i push runs/horse2zebra hf://owner/horse2zebra --licence mit --dry-run\n\n"
    "Publish:  i2i push runs/horse2zebra hf://owner/horse2zebra --licence mit\n\n"
    "Others then:  i2i pull hf://owner/horse2zebra"
)


def push(
    run: Run,
    to: Annotated[str, typer.Argument(metavar="hf://OWNER/NAME", help="the repository, made if needed")],
    licence: Licence = None,
    private: Annotated[
        bool, typer.Option("--private", help="only you can see the repository, if it is made now")
    ] = False,
    samples: Annotated[
        bool,
        typer.Option("--samples/--no-samples", help="publish a sample sheet, with your images"),
    ] = True,
    keep_names: KeepNames = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be published; upload nothing")
    ] = False,
) -> None:
    """Publish the model of a run on the Hugging Face hub: weights, recipe, sample sheet and model card.

    The model and the recipe are copies without settings that name files of this machine. Needs the extra
    [hub], and a token in HF_TOKEN or by `hf auth login`.
    """
    from i2icli.hub.push import CARD, prepared
    from i2icli.hub.push import push as upload_to_hub

    with prepared(
        run, to, licence=licence, private=private, samples=samples, keep_names=keep_names
    ) as upload:
        if upload.which:
            say(errors(), f"note: {upload.which}")
        for name, size in upload.files.items():
            say(output(), f"{'would publish' if dry_run else 'publishing'} {name} ({size:,} bytes)")
        if dry_run:
            print(f"\n{(upload.folder / CARD).read_text(encoding='utf-8')}", end="")
            return
        where = upload_to_hub(upload, private=private)
    say(output(), f"published: {where}")
    say(output(), f"others get it with: i2i pull {to}")
