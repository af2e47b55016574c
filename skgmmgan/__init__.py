"""Table synthesis by a Gaussian mixture that an adversarial network refines."""

from importlib.metadata import version

from ._classifier import GMMGANClassifier
from ._gmmgan import GMMGAN
from .pipeline import sample_pipeline

__version__ = version("skgmmgan")
__all__ = ["GMMGAN", "GMMGANClassifier", "sample_pipeline"]
