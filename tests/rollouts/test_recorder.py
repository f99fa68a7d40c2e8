"""What is kept of driving: V's view of every frame, each episode by itself."""

from replication.rollouts.loop import Trial, drive
from replication.rollouts.recorder import Recorder

import numpy as np
from counting import CountingEnv, Echo, Reader, counting_world


class SeeingReader(Reader):
    """A reader with a mean and a log-variance, as V has them."""

    def see(self, frames):
        seen = super().see(frames)
        self.mu, self.logvar = 10 * self.z, 0 * self.z - 3
        return seen


def test_episodes_of_one_seed_are_kept_apart():
    """Two C's on one track, side by side; the second is given up earlier."""
    world = counting_world(CountingEnv(), CountingEnv(), model=SeeingReader(2))
    recorder = Recorder(world)
    trials = [Trial(4), Trial(4, max_steps=3)]
    episodes = {}
    for place, episode in drive(world, Echo(), trials, watch=recorder.watch):
        episodes[place] = recorder.take(episode)
    assert [len(episodes[place]["mu"]) for place in (0, 1)] == [7, 3]  # 3 + seed % 5
    for kept in episodes.values():
        np.testing.assert_allclose(kept["mu"][:, 0], np.arange(len(kept["mu"])) / 100, atol=1e-4)
        np.testing.assert_array_equal(kept["logvar"], -3)
        np.testing.assert_allclose(kept["action"][:, 0], np.arange(len(kept["mu"])) / 1000)
        assert kept["mu"].dtype == np.float16 and kept["action"].dtype == np.float32
        assert len(kept["reward"]) == len(kept["terminated"]) == len(kept["mu"])
    assert recorder.seen == {}
