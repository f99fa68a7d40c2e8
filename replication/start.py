"""Where C's search starts: from 0, or from the C of another run's agent (--controller.start)."""

from replication import runs
from replication.agent import agent_folder, inputs_of, load_agent
from replication.config import Config, UserError
from replication.history import read_history
from replication.stages import needs_of


def read_start(config: Config) -> dict | None:
    """The C that the search starts from, where it is not 0, and how it came about.

    As the run has kept it in start.json, or from the agent's own folder. Raises UserError if there
    is no such agent, or if it was evolved on another V or M.
    """
    if config.controller.start == "zero":
        return None
    kept = runs.stage_folder(config, "train_controller") / "start.json"
    if not config.overwrite:
        if kept.exists():
            return runs.read_json(kept, "parameters", "log")
        if runs.read_log(kept.with_name("log.jsonl")):
            raise UserError(f"{runs.shown(kept)} is missing: restore it, or --overwrite")
    runs.check_inputs(config, "train_controller")
    folder = agent_folder(config.controller.start)
    weights, parameters = load_agent(folder)
    needs = needs_of("train_controller", config.vision)
    ours = {need: runs.output_of(config, need) for need in needs}
    if folder == runs.run_folder(config.run).resolve() or inputs_of(folder) != ours:
        raise UserError(
            f"--controller.start {config.controller.start}: must be an agent of another run,"
            " evolved on the V and M of this one"
        )
    if weights.mode != config.controller.mode:
        raise UserError(
            f"--controller.start {config.controller.start}: its C is of mode {weights.mode},"
            f" this one of {config.controller.mode}"
        )
    log = [
        {key: value for key, value in line.items() if key != "returns"}
        for line in read_history(folder / "controller")
    ]
    return {"agent": config.controller.start, "parameters": parameters.tolist(), "log": log}
