"""The one decorator of all kernels: numba's njit, kept on disk where there is a place to write."""

from collections.abc import Callable

from numba import njit


def compiled(**options) -> Callable:
    """njit with `options` and with a cache on disk, or without one where nothing can be written.

    numba caches beside the source, else in the user's own cache folder. With neither writable,
    `njit(cache=True)` raises RuntimeError while the module is imported. Compiling anew in each
    process is slow, but it works.
    """

    def decorate(function: Callable) -> Callable:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            return njit(**options)(function)

    return decorate
