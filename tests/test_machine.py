"""The memory of a machine: what a container or a job may use of it, and what is free of that."""

import pytest

from i2icli import machine

VERSIONS = {
    "2": ("0::/slurm/job_7/step_0", "slurm/job_7", ("memory.max", "memory.current", "inactive_file")),
    "1": (
        "5:cpu:/elsewhere\n4:memory,hugetlb:/slurm/job_7/step_0",
        "memory/slurm/job_7",
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ),
}
MB = 2**20


@pytest.fixture(params=VERSIONS)
def job(request, tmp_path, monkeypatch):
    """A job of 100 MB, 30 MB of which are used and 10 MB more hold files that can be read again."""
    own, place, (limit, used, cache) = VERSIONS[request.param]
    folder = tmp_path / place
    (folder / "step_0").mkdir(parents=True)
    (folder / limit).write_text(f"{100 * MB}\n")
    (folder / used).write_text(f"{40 * MB}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{cache} {10 * MB}\n{cache}_more 7\n")
    (folder / "step_0" / limit).write_text("max\n")  # as the innermost group has it: no limit of its own
    (tmp_path / "own").write_text(f"{own}\n")
    monkeypatch.setattr(machine, "_GROUPS", tmp_path)
    monkeypatch.setattr(machine, "_OWN", tmp_path / "own")
    return folder / limit


def test_a_job_has_the_memory_of_its_group(job):
    assert machine.total_memory() == 100 * MB
    assert machine.free_memory() == 70 * MB
    job.write_text(f"{20 * MB}\n")  # lowered while it runs
    assert (machine.total_memory(), machine.free_memory()) == (20 * MB, 0)


def test_without_a_group_it_is_that_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_OWN", tmp_path / "none")
    total, free = machine.total_memory(), machine.free_memory()
    assert total is not None
    assert free is not None
    assert 100 * MB < free <= total
