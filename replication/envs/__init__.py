"""Both CarRacings, v3 faster and v0 as it was, and Take Cover, registered and not loaded."""

import gymnasium

gymnasium.register(
    id="replication/FastCarRacing-v3",
    entry_point="replication.envs.car_racing:FastCarRacing",
    max_episode_steps=1000,  # like CarRacing-v3
    reward_threshold=900,
)
gymnasium.register(
    id="replication/CarRacing-v0",
    entry_point="replication.envs.car_racing_v0:CarRacingV0",
    max_episode_steps=1000,  # like gym 0.9's registry
    reward_threshold=900,
)
gymnasium.register(
    id="replication/TakeCover-v0",
    entry_point="replication.envs.take_cover:TakeCover",
    max_episode_steps=2100,  # like gym-doom's registry; a minute
    reward_threshold=750,
)
