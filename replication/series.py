"""Stage 3: encode every recorded episode with V, once, for M to be trained on.

    python replication/series.py quick

Reads data/SET/record/ and V; writes data/RUN/series/ (see dataset/series.py).
"""

import time

from replication.config import Config
from replication.dataset.episodes import list_episodes
from replication.dataset.series import replace_series
from replication.rollouts.agent_files import load_encoder
from replication.runs import files, folders, records
from replication.runs.script import parse_run_cli, run_script
from replication.tasks.games import task_of
from replication.tf import tf
from replication.vae.vae import to_float


def main(config: Config) -> None:
    start = time.monotonic()
    with records.open_stage(config, "series") as folder:
        task = task_of(config.task)
        encoder = load_encoder(folders.run_folder(config.run), config.vision)
        vae = files.fingerprint(encoder.get_weights())
        episodes = list_episodes(config)
        records.begin_stage(config, "series")
        see = tf.function(lambda obs: encoder(to_float(obs)))
        frames = replace_series(see, episodes, task, folder)
        files.write_json(folder / "series.json", {"vae": vae, "episodes": len(episodes)})
        reached = f"{len(episodes)} episodes, {frames:,} frames encoded"
        output = f"{vae} {len(episodes)}"
        seconds = time.monotonic() - start
        records.finish(config, "series", output, reached, seconds, processes=records.cores())
        print(f"series: {reached} in {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
