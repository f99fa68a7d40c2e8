"""Where C's search starts: from 0, or from the C of another run's agent (--controller.start).

On the V and M that the agent's C was evolved on, it is that C. On others, as after a second round
of rollouts (World Models, 5), or in another mode, it is the linear policy that acts most like the
agent on the run's rollouts: the same C in the terms of the new V and M.
"""

from replication.config import Config, UserError
from replication.controller.controller import output
from replication.rollouts.agent import Weights, agent_folder, inputs_of, load_agent, load_weights
from replication.runs import files, folders, records
from replication.runs.logs import read_log
from replication.search.history import read_history
from replication.search.recorded_inputs import inputs_of_c, some_episodes

import numpy as np

# Ours: what tanh makes of more than that is hardly another action, and a brake below 0 is none.
LOW, HIGH = np.float32([-2.5, -2.5, -1]), np.float32([2.5, 2.5, 2.5])
RIDGE = 1e-3  # ours: times the squared weights, beside the mean squared error
SCORED = 0.2  # of the episodes, the last ones: they say how good the fit is


def read_start(config: Config) -> dict | None:
    """The C that the search starts from, where it is not 0, and how it came about.

    As the run has kept it in start.json, or from the agent's own folder. Raises UserError if there
    is no such agent, or none that can be acted like.
    """
    if config.controller.start == "zero":
        return None
    kept = folders.stage_folder(config, "train_controller") / "start.json"
    if not config.overwrite:
        if kept.exists():
            return files.read_json(kept, "parameters", "log")
        if read_log(kept.with_name("log.jsonl")):
            raise UserError(f"{folders.shown(kept)} is missing: restore it, or --overwrite")
    folder = agent_folder(config.controller.start)
    if folder == folders.run_folder(config.run).resolve():
        raise UserError(f"--controller.start {config.controller.start}: must be of another run")
    weights, parameters = load_agent(folder)
    fit = None
    same = inputs_of(folder) == records.inputs_of(config, "train_controller")
    if not same or weights.mode != config.controller.mode:
        parameters, fit = act_like(weights, parameters, config)
    log = [
        {key: value for key, value in line.items() if key != "returns"}
        for line in read_history(folder / "controller")
    ]
    return {
        "agent": config.controller.start,
        "parameters": parameters.tolist(),
        "fit": fit,
        "log": log,
    }


def act_like(
    agent: Weights, parameters: np.ndarray, config: Config
) -> tuple[np.ndarray, dict[str, float]]:
    """The linear C on the run's V and M that acts most like an agent on the run's rollouts.

    parameters: the agent's C. Returns C's flat vector, float32, and the share of the variance of
    each of the agent's outputs, before tanh, that it explains on episodes it was not fitted on.
    Raises UserError if C is not linear, or without two episodes of rollouts.
    """
    if config.controller.mode == "z_hidden":
        raise UserError("--controller.start: mode z_hidden is not linear, and cannot be fitted")
    ours = load_weights(
        folders.run_folder(config.run), config.controller.mode, config.vision, config.controller.z
    )
    episodes = some_episodes(config)
    if len(episodes) < 2:
        raise UserError("--controller.start: a fit takes two episodes of rollouts at least")
    seen = inputs_of_c(ours, episodes)
    wanted = [
        np.clip(output(agent.mode, parameters[None], x), LOW, HIGH)
        for x in inputs_of_c(agent, episodes)
    ]
    fitted = len(episodes) - max(1, round(SCORED * len(episodes)))
    x, y = (np.concatenate(each[:fitted]) for each in (seen, wanted))
    bias, weight = linear_fit(x, y, RIDGE)
    x, y = (np.concatenate(each[fitted:]) for each in (seen, wanted))
    wrong = ((x @ weight + bias - y) ** 2).mean(axis=0)  # (A,)
    explained = 1 - wrong / np.maximum(y.var(axis=0), RIDGE)  # a constant output has no variance
    shares = dict(zip(("steer", "gas", "brake"), explained.round(4).tolist(), strict=True))
    print(
        f"controller: starts as the C that acts most like {config.controller.start}: it explains "
        + ", ".join(f"{share:.0%} of its {name}" for name, share in shares.items())
    )
    return np.concatenate([bias, weight.ravel()]).astype(np.float32), shares


def linear_fit(x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Regression of y (N, A) on x (N, I): bias (A,) and weight (I, A), float64.

    The mean squared error, and ridge times the squared weights, are the least.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    x, y = x - x_mean, y - y_mean
    weight = np.linalg.solve(x.T @ x / len(x) + ridge * np.eye(x.shape[1]), x.T @ y / len(x))
    return y_mean - x_mean @ weight, weight
