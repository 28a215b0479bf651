"""Every error of the product, in one tree.

MonitoryError
 +-- SettingsError            an environment variable is missing or wrong
 +-- SensorSetError           a sensor set cannot be used
 +-- InvalidIdentifier        a zoneId or equipId that must not reach a storage key
 +-- InvalidEvent             a retrain event that says something impossible
 +-- StorageError             the object store did not do what was asked
 |    +-- StorageUnavailable  it failed, after the client's retries
 |    +-- ObjectNotFound      there is no such object
 |    +-- ObjectTooLarge      it is too large to be held in memory
 |    +-- PreconditionFailed  a conditional write lost against another writer
 +-- UnreadableObject         nothing in an object of the lake could be read
 +-- NoData                   a machine has no readings to predict from
 |    +-- StaleData           it has, but none that are recent
 +-- ModelError               a model cannot be used
 |    +-- NoModel             none was promoted yet
 |    +-- BrokenModel         it is not a model, or it fails its self-test
 |    +-- UnknownVersion      no such version is stored
 +-- Conflict                 another promotion won the race, or a version exists already
 +-- WorkerDied               a process that computes for this one ended
"""

import msgspec


class MonitoryError(Exception):
    """The base of all errors that the product raises on purpose."""


class SettingsError(MonitoryError):
    """An environment variable is missing or has a value that cannot be used."""


class SensorSetError(MonitoryError):
    """A sensor set was not readable or contradicts itself."""


class InvalidIdentifier(MonitoryError):
    """A zoneId or equipId holds characters that the lake's layout does not allow."""


class InvalidEvent(MonitoryError):
    """A retrain event asked for something that does not exist or makes no sense."""


class StorageError(MonitoryError):
    """The object store did not do what was asked."""


class StorageUnavailable(StorageError):
    """The object store failed, after the retries of its client."""


class ObjectNotFound(StorageError):
    """There is no object under the key."""


class ObjectTooLarge(StorageError):
    """An object is larger than anything of ours, and is not read into memory."""


class PreconditionFailed(StorageError):
    """A conditional write was refused: the object is not what the writer had read."""


class UnreadableObject(MonitoryError):
    """Nothing in an object of the lake could be read as a reading."""


class NoData(MonitoryError):
    """The machine has no readings to predict from."""


class StaleData(NoData):
    """The machine's newest readings are older than the limit."""


class ModelError(MonitoryError):
    """A model cannot be used."""


class NoModel(ModelError):
    """No model has been promoted yet."""


class BrokenModel(ModelError):
    """The object is not a LightGBM model, or the model fails its self-test."""


class UnknownVersion(ModelError):
    """No version of that name is stored."""


class Conflict(MonitoryError):
    """Another writer was first: a version exists already, or another promotion won."""


class WorkerDied(MonitoryError):
    """A process that computes for this one ended before its work did, for want of memory most likely."""


UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the JSON that is asked for."""
