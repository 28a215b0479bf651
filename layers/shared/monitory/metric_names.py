"""Names and units of the metrics that the functions emit, for the code, the alarms and the dashboard alike."""

NAMESPACE = "Monitory"
PREDICT_SERVICE = "monitory-predict"
RETRAIN_SERVICE = "monitory-retrain"
SCORE_SERVICE = "monitory-score"

PREDICTIONS = "Predictions"
PREDICT_LATENCY = "PredictLatency"
PREDICTED_RUL = "PredictedRul"
REJECTED_READINGS = "RejectedReadings"
MODEL_AGE_HOURS = "ModelAgeHours"
LAST_GOOD_MODEL_IN_USE = "LastGoodModelInUse"
DATA_AGE_MINUTES = "DataAgeMinutes"
NO_DATA = "NoData"

RETRAIN_COMPLETED = "RetrainCompleted"
RETRAIN_FAILED = "RetrainFailed"
RETRAIN_REFUSED = "RetrainRefused"
"""Events with an impossible request."""
RETRAIN_SKIPPED = "RetrainSkipped"
MODEL_PROMOTED = "ModelPromoted"
MODEL_REJECTED = "ModelRejected"
HOLDOUT_MAE_DAYS = "HoldoutMaeDays"
READINGS_READ = "ReadingsRead"
TRAINING_ROWS = "TrainingRows"
DRIFTED_SENSORS = "DriftedSensors"
SENSOR_PSI = "SensorPsi"
"""Of each sensor: the dimension `sensor` names it."""
REALISED_MAE_DAYS = "RealisedMaeDays"
REALISED_COVERAGE = "RealisedCoverage"
FAILURES_ANNOUNCED = "FailuresAnnounced"
"""Of the failures of the training days, those that were announced at D-3."""
FAILURES_MISSED = "FailuresMissed"
FALSE_ANNOUNCEMENTS = "FalseAnnouncements"
PROMISES_BROKEN = "PromisesBroken"
"""Promises of coverage and announcements that the logged predictions did not keep."""

SCORE_COMPLETED = "ScoreCompleted"
MACHINES_SCORED = "MachinesScored"
MACHINES_NOT_SCORED = "MachinesNotScored"
"""Machines with new objects that could not be scored, their states say why; or are left for the next run."""

COUNT = "Count"
UNITS = {
    PREDICT_LATENCY: "Milliseconds",
    PREDICTED_RUL: "None",
    MODEL_AGE_HOURS: "None",
    DATA_AGE_MINUTES: "None",
    HOLDOUT_MAE_DAYS: "None",
    SENSOR_PSI: "None",
    REALISED_MAE_DAYS: "None",
    REALISED_COVERAGE: "None",
}
"""Of the metrics that are no `COUNT`."""
