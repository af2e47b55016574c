"""Pictures of a synthetic table beside the real one, and of a fitted model. They need matplotlib, and no torch.

Each display follows scikit-learn: a class method computes and draws, the object holds what was computed, and `plot`
draws it again. Tables are DataFrames or arrays of numbers, with missing cells.
"""

from ._model_displays import ComponentsDisplay, HistoryDisplay
from ._table_displays import DistanceDisplay, GiveawayDisplay, Marginal, MarginalsDisplay, TrendsDisplay

__all__ = [
    "ComponentsDisplay",
    "DistanceDisplay",
    "GiveawayDisplay",
    "HistoryDisplay",
    "Marginal",
    "MarginalsDisplay",
    "TrendsDisplay",
]
