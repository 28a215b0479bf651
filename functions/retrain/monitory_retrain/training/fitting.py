"""One training: rows of running machines -> a model and the distribution of the life left, given its answers."""

import hashlib
from dataclasses import dataclass

import numpy as np

from monitory.features import vector
from monitory.log import Logger
from monitory.model.distribution import Distribution
from monitory.model.model import Model
from monitory.sensors import SensorSet
from monitory.settings import RetrainSettings
from monitory_retrain.dataset.dataset import Dataset
from monitory_retrain.dataset.lifetimes import Lifetimes
from monitory_retrain.training import survival, training
from monitory_retrain.training.training import Recipe, Trained


@dataclass(frozen=True, slots=True)
class Fit:
    """What one training makes: a model and the distribution of the life left, given its answers."""

    trained: Trained
    calibration: Distribution | None

    @property
    def sha256(self) -> str:
        """Of the model text."""
        return hashlib.sha256(self.trained.text.encode()).hexdigest()

    def model(self, names: tuple[str, ...], cap: float) -> Model:
        """The model as serving loads it; `names` are the features that there are, `cap` is in days."""
        return Model(self.trained.text.encode(), None, feature_names=names, cap_days=cap)


def fit(rows: Dataset, sensors: SensorSet, settings: RetrainSettings, recipe: Recipe, log: Logger) -> Fit:
    """Train on rows and calibrate on their out-of-fold predictions."""
    names = vector.trained(sensors)
    rows = rows.take(training.taught(len(rows)))
    columns = [rows.names.index(name) for name in names]
    lives = Lifetimes(rows.seen, ~np.isnan(rows.rul), settings.max_rul_days)
    trained = training.train(
        rows.x[:, columns], lives, rows.life, names, recipe, lambda text: log.info("training: %s", text)
    )
    settled = trained.rows[trained.settled]
    calibration = survival.distribution(
        trained.out_of_fold[trained.settled], lives.take(settled), rows.life[settled], settings.coverage
    )
    return Fit(trained, calibration)
