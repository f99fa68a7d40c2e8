"""A window to watch or to drive in: whether one can be opened."""

import os

from replication.config import UserError


def need_display(option: str, instead: str) -> None:
    """Raise UserError if no window can be opened for an option; `instead` says what needs none."""
    import pygame  # comes with gymnasium; only a window needs it

    try:
        pygame.display.init()
    except pygame.error as error:
        raise UserError(f"{option}: no window can be opened ({error}); {instead}") from None
    driver = pygame.display.get_driver()
    pygame.display.quit()
    # SDL falls back to a driver that shows nothing, and crashes beside TensorFlow.
    if driver in ("offscreen", "dummy") and os.environ.get("SDL_VIDEODRIVER") != driver:
        raise UserError(f"{option} needs a display; {instead}")
