"""Table synthesis by a Gaussian mixture that an adversarial network refines."""

from importlib.metadata import version

from ._classifier import GMMGANClassifier
from ._gmmgan import GMMGAN
from .pipeline import sample_pipeline

__version__ = version("skgmmgan")
__all__ = ["GMMGAN", "GMMGANClassifier", "sample_pipeline"]


def __getattr__(name):
    """Import the over-sampler, and with it imbalanced-learn, only when it is asked for."""
    if name == "GMMGANOverSampler":
        from .over_sampling import GMMGANOverSampler

        return GMMGANOverSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
