"""What a worker logged about a run can be read after the worker was killed."""

from harness.waiting import eventually
from tests.plant import Plant

LINES = "SELECT epoch, number, level, text FROM attempt_logs WHERE run_id = %(run)s ORDER BY 1, 2"


async def test_the_lines_of_a_killed_worker_are_there(plant: Plant) -> None:
    plant.fill()
    victim = plant.worker(NCBI_RATE="2")
    run_id = plant.annotate("clinvar")

    def stored() -> list[dict[str, object]]:
        return plant.rows(LINES, run=run_id)

    lines = await eventually(stored)
    victim.kill()

    assert stored()[: len(lines)] == lines
    assert {line["epoch"] for line in lines} == {1}
    logged = plant.log(victim)
    for line in lines:
        said = str(line["text"]).removeprefix("clinvar: ")
        assert said in logged
