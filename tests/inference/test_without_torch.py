"""The way from a command to a result imports no torch, so that exported models start at once."""

import subprocess
import sys

MODULES = ("i2icli.cli.translate", "i2icli.cli.video", "i2icli.inference.translator")


def test_nothing_on_the_way_loads_torch():
    program = (
        f"import sys, {', '.join(MODULES)}; print([n for n in sys.modules if n.split('.')[0] == 'torch'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
