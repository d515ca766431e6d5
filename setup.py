"""The part that is compiled. Where there is no C compiler, Tally installs without it and runs its pure form."""

from Cython.Build import cythonize
from setuptools import setup

DIRECTIVES = {"language_level": 3, "cdivision": True, "wraparound": False}

extensions = cythonize("aggregators/compiled/*.pyx", compiler_directives=DIRECTIVES)
for extension in extensions:
    extension.optional = True
    extension.extra_compile_args = ["-O3"]

setup(ext_modules=extensions)
