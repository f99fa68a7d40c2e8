"""A linear C on new inputs that acts like an agent's: where a search on another V or M starts.

After a second round of rollouts (World Models, 5), or in another mode of C, the agent's C itself
means nothing. The linear policy that acts most like it on recorded rollouts is the same C in the
terms of the new V and M.
"""

from typing import NamedTuple

from replication.config import Config, UserError
from replication.rollouts.agent import AgentParts
from replication.search.recorded_inputs import inputs_of_c, some_episodes
from replication.tasks.task import Task

import numpy as np

RIDGE = 1e-3  # ours: times the squared weights, beside the mean squared error
SCORED = 0.2  # of the episodes, the last ones: they say how good the fit is
LEAST_VARIANCE = 1e-3  # ours: an output that is constant has none to explain


class LinearFit(NamedTuple):
    """A linear function of x (N, I): x @ weight + bias."""

    bias: np.ndarray  # (A,)
    weight: np.ndarray  # (I, A)


def act_like(
    agent: AgentParts, parameters: np.ndarray, ours: AgentParts, config: Config
) -> tuple[np.ndarray, dict[str, float]]:
    """The linear C on the run's V and M that acts most like an agent on the run's rollouts.

    parameters: the agent's C (P,); ours: the run's V and M. Returns C's flat vector, float32, and
    the share of the variance of each of the agent's outputs, before squashing, that it explains on
    episodes it was not fitted on.
    Raises UserError if C is not linear, or without two episodes of rollouts.
    """
    if config.controller.mode == "z_hidden":
        raise UserError("--controller.start: mode z_hidden is not linear, and cannot be fitted")
    low, high = np.float32(ours.task.output_low), np.float32(ours.task.output_high)
    episodes = some_episodes(config)
    if len(episodes) < 2:
        raise UserError("--controller.start: a fit takes two episodes of rollouts at least")
    inputs = inputs_of_c(ours, episodes)
    wanted = [
        np.clip(agent.controller.output(parameters[None], x), low, high)
        for x in inputs_of_c(agent, episodes)
    ]
    fitted = len(episodes) - max(1, round(SCORED * len(episodes)))
    x, y = (np.concatenate(part[:fitted]) for part in (inputs, wanted))
    fit = linear_fit(x, y, RIDGE, ours.task.bias)
    x, y = (np.concatenate(part[fitted:]) for part in (inputs, wanted))
    shares = explained(ours.task, fit, x, y)
    print(
        f"controller: starts as the C that acts most like {config.controller.start}: it explains "
        + ", ".join(f"{share:.0%} of its {name}" for name, share in shares.items())
    )
    return flat_c(ours.task, fit), shares


def flat_c(task: Task, fit: LinearFit) -> np.ndarray:
    """The linear C's flat vector (P,), float32."""
    return np.concatenate([fit.bias if task.bias else [], fit.weight.ravel()]).astype(np.float32)


def explained(task: Task, fit: LinearFit, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """By action: the share of the variance of y (N, A) that a fit explains from x (N, I)."""
    error = ((x @ fit.weight + fit.bias - y) ** 2).mean(axis=0)  # (A,)
    shares = 1 - error / np.maximum(y.var(axis=0), LEAST_VARIANCE)
    return dict(zip(task.actions, shares.round(4).tolist(), strict=True))


def linear_fit(x: np.ndarray, y: np.ndarray, ridge: float, intercept: bool = True) -> LinearFit:
    """Ridge regression of y (N, A) on x (N, I): bias (A,) and weight (I, A), float64.

    The mean squared error plus ridge times the squared weights is the least. Without an intercept
    the bias is 0.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    x_mean, y_mean = x.mean(axis=0) * intercept, y.mean(axis=0) * intercept
    x, y = x - x_mean, y - y_mean
    weight = np.linalg.solve(x.T @ x / len(x) + ridge * np.eye(x.shape[1]), x.T @ y / len(x))
    return LinearFit(y_mean - x_mean @ weight, weight)
