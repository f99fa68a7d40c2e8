"""CarRacing-v0 for people: v0's window and camera, drawn by gymnasium's polygons with pygame."""

from replication.envs.rendering.opengl import WINDOW_H, WINDOW_W, camera
from replication.envs.rendering.scene_v0 import Motion

import numpy as np
import pygame
from gymnasium.envs.box2d.car_racing import VIDEO_H, VIDEO_W, CarRacing


def render(env: CarRacing, motion: Motion, mode: str) -> np.ndarray | None:
    """`rgb_array`: the picture, uint8 (400, 600, 3); `human`: show it, at 50 frames a second."""
    _draw(env, motion)
    if mode == "rgb_array":
        return env._create_image_array(env.surf, (VIDEO_W, VIDEO_H))
    if env.screen is None:
        pygame.display.init()
        env.screen = pygame.display.set_mode((WINDOW_W, WINDOW_H))
    if env.clock is None:
        env.clock = pygame.time.Clock()
    pygame.event.pump()
    env.clock.tick(env.metadata["render_fps"])
    env.screen.blit(env.surf, (0, 0))
    pygame.display.flip()
    return None


def _draw(env: CarRacing, motion: Motion) -> None:
    """The window's picture into `env.surf`, which gymnasium's methods draw on."""
    zoom, turn, *shift = camera.py_func(motion)
    env.surf = pygame.Surface((WINDOW_W, WINDOW_H))
    env._render_road(zoom, shift, turn)
    env.car.draw(env.surf, zoom, shift, turn)
    env.surf = pygame.transform.flip(env.surf, False, True)
    env._render_indicators(WINDOW_W, WINDOW_H)
    pygame.font.init()
    font = pygame.font.Font(pygame.font.get_default_font(), 42)
    score = font.render(f"{env.reward:04.0f}", True, (255, 255, 255), (0, 0, 0))
    env.surf.blit(score, score.get_rect(midleft=(20, WINDOW_H * (1 - 2.5 / 40))))
