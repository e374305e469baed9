"""The program's version, from the installed package's own record."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("roundsman")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0+checkout"
