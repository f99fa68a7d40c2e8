"""Stage 2: train V on the recorded frames (World Models, A.1).

    python replication/train_vae.py quick --run mine --vae.epochs 2

Reads data/SET/record/; writes checkpoints/RUN/vae/: encoder and decoder .weights.h5, log.jsonl,
samples.npz (frames beside their reconstructions, for figure 12, and decoded samples of z) and
traversal.npz (what single dimensions of z do to a frame).
"""

from replication import training
from replication.config import Config
from replication.runs import files, folders, records, seeds
from replication.runs.script import parse_run_cli, run_script
from replication.tasks.games import task_of
from replication.tf import keras
from replication.vae.frames import (
    frame_batches,
    load_frames,
    measure_held_out,
    reached,
    schedule_of,
)
from replication.vae.pictures import save_v
from replication.vae.vae import VAE


def main(config: Config) -> None:
    with records.open_stage(config, "train_vae") as folder:
        seeds.seed_everything(config.seed)
        z_size = task_of(config.task).z_size
        frames = load_frames(config, config.vae.batch_size)
        records.begin_stage(config, "train_vae")

        vae = VAE(config.vae, z_size)
        vae.compile(optimizer=keras.optimizers.Adam(config.vae.learning_rate))
        seconds = training.fit(
            vae,
            lambda step: frame_batches(frames.stream, z_size, config.seed, step),
            measure_held_out(vae.losses_of, vae.encoder, frames.chosen, config.seed),
            schedule_of(config.vae, frames.stream),
            folder,
        )
        save_v(vae, frames, config, folder)

        output = files.fingerprint(vae.encoder.get_weights())
        facts = {"processes": records.cores(), "parameters": vae.count_params()}
        records.finish(config, "train_vae", output, reached(folder), seconds, **facts)
        print(f"vae: {reached(folder)}, in {folders.shown(folder)}")


if __name__ == "__main__":
    run_script(lambda: main(parse_run_cli(doc=__doc__)))
