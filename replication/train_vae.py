"""Stage 2: train V on the recorded frames (World Models, A.1).

    python replication/train_vae.py quick --run mine --vae.epochs 2

Reads data/SET/record/; writes checkpoints/RUN/vae/: encoder and decoder .weights.h5, log.jsonl,
samples.npz (frames beside their reconstructions, for figure 12, and decoded samples of z) and
traversal.npz (what single dimensions of z do to a frame).
"""

from replication import training
from replication.config import Config, parse_cli
from replication.runs import files, folders, records, script, seeds
from replication.tf import keras
from replication.vae.vae import VAE
from replication.vae.vision import (
    frame_batches,
    load_frames,
    measure_held_out,
    reached,
    save_v,
    schedule_of,
)


def main(config: Config) -> None:
    with records.open_stage(config, "train_vae") as folder:
        seeds.seed_everything(config.seed)
        frames = load_frames(config, config.vae.batch_size)
        records.begin_stage(config, "train_vae")

        vae = VAE(config.vae)
        vae.compile(optimizer=keras.optimizers.Adam(config.vae.learning_rate))
        seconds = training.fit(
            vae,
            lambda step: frame_batches(frames.stream, config.seed, step),
            measure_held_out(vae.losses_of, vae.encoder, frames.chosen, config.seed),
            schedule_of(config.vae, frames.stream),
            folder,
        )
        save_v(vae, frames, config.seed, folder)

        output = files.fingerprint(vae.encoder.get_weights())
        facts = {"processes": records.cores(), "parameters": vae.count_params()}
        records.finish(config, "train_vae", output, reached(folder), seconds, **facts)
        print(f"vae: {reached(folder)}, in {folders.shown(folder)}")


if __name__ == "__main__":
    script.run_script(lambda: main(parse_cli(doc=__doc__)))
