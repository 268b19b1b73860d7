"""ComboGAN: domains that are added to a trained model leave the others as they were."""

from pathlib import Path

import pytest
import torch

from i2icli.config import RunOptions
from i2icli.demo.toy.domains import write_domains
from i2icli.errors import UserError
from i2icli.inference.translator import Translator
from i2icli.systems.combogan.system import ComboGAN, module_name
from i2icli.training.run import train
from tests.systems.combogan import SEASONS, all_found, of_domain, settings, tiny, two_domains
from tests.systems.steps import run_step
from tests.training.synthetic import assert_same


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four")
    write_domains(folder, train=3, test=2, size=32)
    return folder


@pytest.fixture(scope="module")
def three_learned(four: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that knows all but winter."""
    out = tmp_path_factory.mktemp("runs") / "three"
    train("combogan", [four], settings(domains=SEASONS[:3], steps=3), RunOptions(out=out))
    return out


def test_a_domain_is_added_and_the_others_stay_as_they_were(
    four: Path, three_learned: Path, tmp_path: Path
) -> None:
    config = all_found(learn=("winter",), steps=4, norm="instance", seed=5)
    more = train("combogan", [four], config, RunOptions(out=tmp_path / "more", init_from=str(three_learned)))
    old, new = (
        torch.load(folder / "resume.pt", weights_only=True)["system"]
        for folder in (three_learned, more.folder)
    )
    kept = [
        key for key in old if any(module_name(name) in key for name in SEASONS[:3]) and "pools" not in key
    ]
    assert len(kept) > 50
    assert_same({key: old[key] for key in kept}, {key: new[key] for key in kept})
    learned = [key for key in new if module_name("winter") in key and "pools" not in key]
    fresh = ComboGAN(settings(learn=("winter",), domains=SEASONS, seed=5)).state_dict()
    assert learned
    assert all(not torch.equal(new[key], fresh[key]) for key in learned if key.endswith("conv.weight"))

    first, second = (Translator.load(folder, precision="fp32") for folder in (three_learned, more.folder))
    picture = sorted((four / "test" / "night").iterdir())[0]
    for to in SEASONS[:3]:
        answers = [each.translate(picture, to=to, source="night").tobytes() for each in (first, second)]  # type: ignore[union-attr]
        assert answers[0] == answers[1]
    assert second.translate(picture, to="winter", source="night") is not None

    again = train("combogan", [four], config, RunOptions(out=tmp_path / "more", init_from=str(three_learned)))
    assert again.step == 4  # the finished run is left as it is


def test_running_statistics_of_kept_domains_stay_as_well() -> None:
    system = tiny(norm="batch", learn=("winter",))
    before = {name: of_domain(system, name) for name in SEASONS}
    run_step(system, two_domains(0, 3))
    assert_same(of_domain(system, "autumn"), before["autumn"])
    assert not torch.equal(
        *(next(iter(each.values())) for each in (of_domain(system, "winter"), before["winter"]))
    )


def test_kept_domains_must_come_from_somewhere(four: Path, three_learned: Path, tmp_path: Path) -> None:
    config = settings(domains=SEASONS, learn=("winter",))
    with pytest.raises(UserError, match=r"domain autumn is not among those to --learn, .*--init-from"):
        train("combogan", [four], config, RunOptions(out=tmp_path / "a"))
    file = three_learned / "model.safetensors"
    (tmp_path / "alone.safetensors").write_bytes(file.read_bytes())
    with pytest.raises(UserError, match=r"its discriminators do not come from"):
        train(
            "combogan",
            [four],
            config,
            RunOptions(out=tmp_path / "b", init_from=str(tmp_path / "alone.safetensors")),
        )
    wider = settings(domains=SEASONS, learn=("winter",), width=8)
    with pytest.raises(UserError, match=r"only \d+ of \d+ generator weights match"):
        train("combogan", [four], wider, RunOptions(out=tmp_path / "c", init_from=str(three_learned)))


def test_many_domains_may_be_added_to_few(four: Path, tmp_path: Path) -> None:
    few = train("combogan", [four], settings(domains=SEASONS[:2], steps=1), RunOptions(out=tmp_path / "two"))
    write_domains(tmp_path / "six", train=2, test=1, size=32)
    for more in ("x", "y", "z"):
        for split in ("train", "test"):
            (tmp_path / "six" / split / more).symlink_to(four / split / "winter")
    config = all_found(learn=("summer", "winter", "x", "y", "z"), steps=1)
    result = train(
        "combogan", [tmp_path / "six"], config, RunOptions(out=tmp_path / "seven", init_from=str(few.folder))
    )
    assert result.finished


def test_a_shared_centre_takes_no_further_domain() -> None:
    with pytest.raises(
        ValueError, match=r"--learn winter: a shared centre is built for its number of domains"
    ):
        settings(num_shared=2, learn=("winter",))
