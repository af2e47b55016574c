"""Rows of a fitted pipeline, in the columns that it was fitted on."""

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from ._containers import import_pandas, is_frame

__all__ = ["sample_pipeline"]


def sample_pipeline(pipeline, n_samples=None, **sample_params):
    """Draw rows from the last step of a pipeline, and map them back through the steps before it.

    Parameters
    ----------
    pipeline : Pipeline, or search over one
        A fitted pipeline whose last step has `sample`, like `GMMGAN`, `GMMGANClassifier` or scikit-learn's mixtures, or
        a fitted search such as GridSearchCV, whose best estimator is sampled.
    n_samples : int, default=None
        How many rows; None leaves it to the last step's `sample`.
    **sample_params : dict
        Further arguments of the last step's `sample`, in the columns that it was fitted on.

    Returns
    -------
    X : ndarray or DataFrame of shape (n_samples, n_features)
        Rows in the columns of the table that the pipeline was fitted on; a pandas DataFrame if their names are text.
        Dtypes are those that the steps' `inverse_transform` gives.
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
    *transformers, (name, last) = _flat_steps("estimator", pipeline)
    if not hasattr(last, "sample"):
        raise TypeError(f"The last step, {name!r}, is a {type(last).__name__}, which has no sample().")
    check_is_fitted(last)
    for step in transformers:
        _check_invertible(*step)
    if n_samples is not None:
        sample_params["n_samples"] = n_samples
    drawn = last.sample(**sample_params)
    if not isinstance(drawn, tuple):
        raise TypeError(f"The last step, {name!r}, is a {type(last).__name__}, whose sample() gives no labels.")
    X, y = drawn
    n_rows = len(X)
    if transformers and not n_rows:  # they do not take a table without rows
        X, _ = last.sample(1)
    for step in reversed(transformers):
        X = _invert(*step, X)
    return _named(X, transformers)[:n_rows], y


def _flat_steps(name, estimator):
    """Pairs of a name and a step, those of nested pipelines and searches among them, without those that do nothing."""
    if hasattr(estimator, "refit") and hasattr(estimator, "estimator"):  # a search
        check_is_fitted(estimator)
        if not estimator.refit:
            raise ValueError(f"{type(estimator).__name__} has no best estimator; set refit=True.")
        return _flat_steps(name, estimator.best_estimator_)
    if not isinstance(estimator, Pipeline):
        return [] if _does_nothing(estimator) else [(name, estimator)]
    prefix = "" if name == "estimator" else f"{name}__"
    return [step for inner, part in estimator.steps for step in _flat_steps(f"{prefix}{inner}", part)]


def _does_nothing(step):
    """Whether rows pass a step as they are, or are only resampled."""
    return step is None or isinstance(step, str) or hasattr(step, "fit_resample")


def _check_invertible(name, step):
    """Raise ValueError for a step that can't be inverted."""
    one_way = isinstance(step, FunctionTransformer) and step.func is not None and step.inverse_func is None
    if one_way or not hasattr(step, "inverse_transform"):
        missing = "inverse_func" if one_way else "inverse_transform"
        raise ValueError(
            f"Step {name!r} cannot be inverted: {type(step).__name__} has no {missing}. Use one that has, or leave it "
            "out: GMMGAN needs no scaling, and reads categories and missing cells as they are."
        )


def _invert(name, step, X):
    """X before a step."""
    try:
        return step.inverse_transform(X)
    except Exception as error:
        raise ValueError(f"Step {name!r} ({type(step).__name__}) could not be inverted: {error}") from error


def _named(X, transformers):
    """X as a DataFrame if the columns of fit had names and X has lost them."""
    names = getattr(transformers[0][1], "feature_names_in_", None) if transformers else None
    return X if names is None or is_frame(X) else import_pandas("rows with names").DataFrame(X, columns=names)
