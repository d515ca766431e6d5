"""The part that is compiled. Where there is no C compiler, Tally installs without it and runs its pure form."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

FOLDER = Path("aggregators/compiled")
DIRECTIVES = {"language_level": 3, "cdivision": True, "wraparound": False}


def extension(name: str) -> Extension:
    """One module of the folder."""
    source = FOLDER / f"{name}.pyx"
    return Extension(f"aggregators.compiled.{name}", [str(source)], extra_compile_args=["-O3"], optional=True)


setup(
    ext_modules=cythonize(
        [extension(name) for name in ("names", "scanning", "sums", "tokens")], compiler_directives=DIRECTIVES
    )
)
