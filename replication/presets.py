"""The presets: what each of them changes of the paper's settings, which are the defaults."""

import dataclasses

from replication.config import (
    Config,
    Controller,
    Dream,
    Env,
    Evaluate,
    Events,
    Extract,
    Gate,
    Rnn,
    Rounds,
    Vae,
    Vaegan,
)

# Small batches at a higher rate: as good in a third of the time on two cores.
SMALL_BATCHES = Vae(epochs=6, iterations=1000, batch_size=32, learning_rate=5e-4)
FEWER_BATCHES = dataclasses.replace(SMALL_BATCHES, epochs=3)
# The same of M: four times the steps of Adam on as many frames, and h knows more of the speed.
SMALL_RNN_BATCHES = Rnn(heads="tiles", epochs=6, iterations=400, batch_size=16, sequence=249)
DREAMT_RNN = dataclasses.replace(SMALL_RNN_BATCHES, z="mean")  # deviation: V's mean, and noise
# Deviation: squared error too, as frames do not appear in few batches without it.
SMALL_VAEGAN = Vaegan(
    epochs=5, iterations=1000, batch_size=32, adam_rate=5e-4, width=0.125, gamma=1e-3,
    recon_weight=200.0, kl_weight=200.0,
)  # fmt: skip


def pass_after(before: str, preset: str, task: str = Config.task) -> Config:
    """A pass in which the agent of another drives: V and M are made of that, and C goes on.

    C begins as the policy most like that agent's, with smaller steps than from 0 and more tracks.
    """
    agent = f"checkpoints/{before}"
    return Config(
        preset=preset,
        task=task,
        after=before,
        run=preset,
        extract=Extract(episodes=200, policy="agent", agent=agent),
        vae=FEWER_BATCHES,
        vaegan=SMALL_VAEGAN,
        rnn=SMALL_RNN_BATCHES,
        controller=Controller(
            z="mean", population=32, episodes=4, generations=48, start=agent, sigma=0.04,
            average=0.5, inputs="whitened", same_tracks=True, patience=60, eval_every=48,
            eval_episodes=48,
        ),
    )  # fmt: skip


PRESETS = {
    "paper": Config(),
    # As far as the report says; what it leaves out is the paper's.
    "report": Config(
        preset="report",
        run="report",
        vae=Vae(epochs=9, iterations=1000, recon_weight=0.5, kl_weight=0.5),  # report 2.1
    ),
    # Three passes of the paper's section 5: hours on two cores.
    "laptop_1": Config(
        preset="laptop_1",
        run="laptop_1",
        extract=Extract(episodes=200, policy="brownian"),
        vae=FEWER_BATCHES,
        vaegan=SMALL_VAEGAN,
        rnn=SMALL_RNN_BATCHES,
        # Evaluated once, at the end, as in each pass: an earlier C may seem better by luck.
        controller=Controller(
            z="mean", population=32, episodes=2, generations=48, average=0.25, inputs="whitened",
            same_tracks=True, patience=60, short=12, eval_every=48, eval_episodes=48,
        ),
    ),
    "laptop_2": pass_after("laptop_1", "laptop_2"),
    "laptop": pass_after("laptop_2", "laptop"),
    # As laptop once was, in one pass: `pretrained` began here. Hours on two cores.
    "one_pass": Config(
        preset="one_pass",
        task="car_racing_v3",
        run="one_pass",
        extract=Extract(episodes=400, policy="brownian"),
        vae=SMALL_BATCHES,
        vaegan=SMALL_VAEGAN,
        rnn=Rnn(epochs=6, iterations=100, batch_size=64, sequence=249),
        controller=Controller(
            population=32, episodes=4, generations=300, same_tracks=True, patience=60, short=20,
            eval_every=20, eval_episodes=48,
        ),
    ),
    # C is evolved in M's dreams alone, round after round: hours on two cores.
    "dreamt": Config(
        preset="dreamt",
        task="car_racing_v3",
        run="dreamt",
        extract=Extract(episodes=200, policy="brownian"),
        vae=FEWER_BATCHES,
        rnn=DREAMT_RNN,
        # The cap: some 280 tiles are a lap; of cars that need less than 900 frames for it M knows
        # little, and what is faster costs.
        dream=Dream(starts="recorded", steps=900, patience=60, cap=0.31, excess=1.0, worst=0.5),
        # Short rounds: M soon learns what a search has made of it.
        rounds=Rounds(
            count=16, generations=12, least_sigma=0.04, noisy=12, noise=0.1, batches=500,
            learning_rate=1e-3,
        ),
        controller=Controller(z="mean", generations=0, eval_episodes=48),
    ),
    # The same, and then a pass in the game: hours on two cores.
    "laptop_v3": pass_after("dreamt", "laptop_v3", "car_racing_v3"),
    # The whole pipeline in minutes on two cores.
    "quick": Config(
        preset="quick",
        run="quick",
        extract=Extract(episodes=32, policy="brownian"),
        vae=Vae(epochs=2, iterations=250, batch_size=32, learning_rate=5e-4, log_every=50),
        vaegan=Vaegan(
            epochs=2, iterations=200, batch_size=32, adam_rate=1e-3, width=0.125, gamma=1e-3,
            recon_weight=200.0, kl_weight=200.0, log_every=20,
        ),
        rnn=Rnn(epochs=2, iterations=25, batch_size=32, sequence=249, log_every=5),
        # Deviations: V's mean, whitened steps: C learns to drive in fewer generations.
        controller=Controller(
            z="mean", population=32, episodes=2, generations=22, inputs="whitened",
            same_tracks=True, patience=60, short=6, eval_every=11, eval_episodes=16,
        ),
        evaluate=Evaluate(episodes=10),
        events=Events(episodes=8),
    ),
    # The paper's second experiment: hours on two cores.
    "doom": Config(
        preset="doom",
        task="take_cover",
        run="doom",
        env=Env(max_steps=2100),  # a minute, the game's own limit
        vae=Vae(epochs=1),  # paper, A.1
        # paper, A.2; ends of long episodes are to be learnt too
        rnn=Rnn(hidden=512, heads="end", epochs=20, iterations=110, sequence=500, beyond=250),
        controller=Controller(
            world="dream", mode="z_c_h", generations=200, judge="dream", game_episodes=100,
        ),
        dream=Dream(temperature=1.15),  # paper, table 2
        evaluate=Evaluate(episodes=400),  # ours: a mean over 100 has an error of 50
    ),
    # The same with fewer recordings, and rounds (paper, 5): C searches in the dream, and M learns
    # from what it does in the game. Hours on two cores.
    "doom_rounds": Config(
        preset="doom_rounds",
        task="take_cover",
        run="doom_rounds",
        env=Env(max_steps=2100),
        extract=Extract(episodes=5200),
        vae=Vae(epochs=12, iterations=1000, batch_size=32, learning_rate=5e-4),
        rnn=Rnn(
            hidden=512, heads="end", epochs=20, iterations=100, batch_size=32, sequence=250,
            beyond=250,
        ),
        dream=Dream(temperature=1.15, starts="recorded"),
        rounds=Rounds(
            count=8, generations=60, population=32, episodes=16, tracks=32, noisy=24, noise=0.1,
            batches=200, learning_rate=1e-3, new=0.4,
        ),
        controller=Controller(mode="z_c_h", generations=0, eval_episodes=100),
        evaluate=Evaluate(episodes=400),
    ),
    # Every stage of it in minutes, and nothing learnt.
    "doom_quick": Config(
        preset="doom_quick",
        task="take_cover",
        run="doom_quick",
        env=Env(max_steps=2100),
        extract=Extract(episodes=60),
        vae=Vae(epochs=2, iterations=100, batch_size=32, learning_rate=5e-4, log_every=50),
        rnn=Rnn(
            hidden=128, heads="end", epochs=2, iterations=25, batch_size=16, sequence=250,
            log_every=5,
        ),
        controller=Controller(
            world="dream", mode="z_c_h", population=8, episodes=4, generations=4, eval_every=2,
            eval_episodes=32, judge="dream", game_episodes=4,
        ),
        dream=Dream(temperature=1.15),
        gate=Gate(episodes=20),
        evaluate=Evaluate(episodes=10),
    ),
}  # fmt: skip
