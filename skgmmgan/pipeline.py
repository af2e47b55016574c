"""Rows of a fitted pipeline, in the columns that it was fitted on."""

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from ._containers import is_frame

__all__ = ["sample_pipeline"]


def sample_pipeline(pipeline, n_samples=1, **sample_params):
    """Draw rows from the last step of a pipeline, and map them back through the steps before it.

    Parameters
    ----------
    pipeline : Pipeline, or search over one
        A fitted pipeline whose last step has `sample`, like `GMMGAN`, `GMMGANClassifier` or scikit-learn's mixtures, or
        a fitted search such as GridSearchCV, whose best estimator is sampled.
    n_samples : int, default=1
        How many rows.
    **sample_params : dict
        Further arguments of the last step's `sample`, in the columns that it was fitted on.

    Returns
    -------
    X : ndarray or DataFrame of shape (n_samples, n_features)
        Rows in the columns of the table that the pipeline was fitted on; a DataFrame if its columns had names. Dtypes
        are those that the steps' `inverse_transform` gives.
    y : ndarray of shape (n_samples,)
        The labels that `sample` gives.

    Raises
    ------
    TypeError
        If the last step has no `sample`.
    ValueError
        If a step cannot be inverted; the message names it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skgmmgan import GMMGAN
    >>> from skgmmgan.pipeline import sample_pipeline
    >>> X = load_iris().data
    >>> pipeline = make_pipeline(PCA(2), GMMGAN(max_epochs=0, adversarial_rounds=0, random_state=0)).fit(X)
    >>> rows, component = sample_pipeline(pipeline, 5)
    >>> rows.shape
    (5, 4)
    """
    pipeline = getattr(pipeline, "best_estimator_", pipeline)
    *transformers, last = pipeline.steps if isinstance(pipeline, Pipeline) else [("estimator", pipeline)]
    if not hasattr(last[1], "sample"):
        raise TypeError(f"The last step, {last[0]!r}, is a {type(last[1]).__name__}, which has no sample().")
    check_is_fitted(pipeline)
    _check_invertible(transformers)
    X, y = last[1].sample(n_samples, **sample_params)
    for name, step in reversed(transformers):
        X = _invert(name, step, X)
    return _named(X, pipeline), y


def _is_skipped(step):
    """Whether rows pass a step as they are: nothing is done, or rows are resampled."""
    return step is None or step == "passthrough" or hasattr(step, "fit_resample")


def _check_invertible(transformers):
    """Raise ValueError for the first step that can't be inverted."""
    for name, step in transformers:
        one_way = isinstance(step, FunctionTransformer) and step.func is not None and step.inverse_func is None
        if isinstance(step, Pipeline):
            _check_invertible([(f"{name}__{inner}", transformer) for inner, transformer in step.steps])
        elif not _is_skipped(step) and (one_way or not hasattr(step, "inverse_transform")):
            missing = "inverse_func" if one_way else "inverse_transform"
            raise ValueError(
                f"Step {name!r} cannot be inverted: {type(step).__name__} has no {missing}. Use one that has, or "
                "leave it out: GMMGAN needs no scaling, and reads categories and missing cells as they are."
            )


def _invert(name, step, X):
    """X before a step."""
    if _is_skipped(step):
        return X
    try:
        return step.inverse_transform(X)
    except (ValueError, NotImplementedError) as error:
        raise ValueError(f"Step {name!r} ({type(step).__name__}) cannot be inverted: {error}") from error


def _named(X, pipeline):
    """X as a DataFrame if the columns of fit had names and X has lost them."""
    names = getattr(pipeline, "feature_names_in_", None)
    if names is None or is_frame(X):
        return X
    import pandas as pd

    return pd.DataFrame(X, columns=names)
