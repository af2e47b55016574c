"""
How many components
===================

`GridSearchCV` chooses the number of components by the log-likelihood of held-out rows. Without network and refinement
the curve has its knee at the number of blobs; with the network it is flat, since the network repairs what a wrong
number leaves.
"""

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV, KFold

from skgmmgan import GMMGAN

X, _ = make_blobs(1500, centers=[[0, 0], [9, 0], [0, 9], [9, 9]], random_state=0)
numbers = [1, 2, 3, 4, 5, 6]
folds = KFold(3, shuffle=True, random_state=0)
for name, settings in {"prior": {"max_epochs": 0, "adversarial_rounds": 0}, "network": {}}.items():
    search = GridSearchCV(GMMGAN(random_state=0, **settings), {"n_components": numbers}, cv=folds).fit(X)
    means, stds = (search.cv_results_[f"{what}_test_score"] for what in ("mean", "std"))
    print(name, dict(zip(numbers, np.round(means, 3).tolist())), f"+- {stds.mean() / np.sqrt(3):.3f}")
