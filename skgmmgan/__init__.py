"""Table synthesis by a Gaussian mixture that a network and discriminators refine."""

from importlib.metadata import version
from importlib.util import find_spec

from ._classifier import GMMGANClassifier
from ._gmmgan import GMMGAN
from ._saving import load, save
from .pipeline import sample_pipeline

__version__ = version("skgmmgan")
__all__ = ["GMMGAN", "GMMGANClassifier", "load", "sample_pipeline", "save"]


def __getattr__(name):
    """Import the over-sampler, and with it imbalanced-learn, only when it is asked for."""
    if name == "GMMGANOverSampler":
        from .over_sampling import GMMGANOverSampler

        return GMMGANOverSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *["GMMGANOverSampler"] * (find_spec("imblearn") is not None)])
