"""Every error of the product, in one tree.

MonitoryError
 +-- SettingsError            an environment variable is missing or invalid
 +-- SensorSetError           a sensor set cannot be used
 +-- LakeLayoutError          a description of the lake's shape cannot be used
 +-- InvalidIdentifier        a zoneId or equipId that must not reach a storage key
 +-- InvalidEvent             a retrain event with an impossible request
 +-- InvalidRecord            a record that cannot be an entry of the logbook
 +-- NotPermitted             a caller may not do this
 +-- StorageError             an operation of the object store failed
 |    +-- StorageUnavailable  the store failed, after the client's retries
 |    +-- ObjectNotFound      there is no such object
 |    +-- ObjectTooLarge      it does not fit into memory
 |    +-- PreconditionFailed  the condition of a write does not hold
 +-- UnreadableObject         an object of the lake has no readable record
 +-- NoData                   a machine has no readings to predict from
 |    +-- StaleData           it has, but none that are recent
 +-- ModelError               a model cannot be used
 |    +-- NoModel             none has been promoted
 |    +-- BrokenModel         it is not a model, or it fails its self-test
 |    +-- UnknownVersion      no such version is stored
 +-- Conflict                 another writer won the race, or a version or an idempotency key exists already
 +-- WorkerDied               a worker process died
 +-- DeliveryFailed           an event or a mail about cases could not be sent
"""

import msgspec


class MonitoryError(Exception):
    """The base of all errors that the product raises on purpose."""


class SettingsError(MonitoryError):
    """An environment variable is missing or has a value that cannot be used."""


class SensorSetError(MonitoryError):
    """A sensor set is not readable, or contradicts itself."""


class LakeLayoutError(MonitoryError):
    """A description of the lake's shape is not readable, or contradicts itself."""


class InvalidIdentifier(MonitoryError):
    """A zoneId or equipId holds characters that the lake's layout does not allow."""


class InvalidEvent(MonitoryError):
    """A retrain event requests something that does not exist or contradicts itself."""


class InvalidRecord(MonitoryError):
    """A field of a record has a value that cannot be used; the message names it."""


class NotPermitted(MonitoryError):
    """The caller's key may not do what is requested."""


class StorageError(MonitoryError):
    """An operation of the object store failed."""


class StorageUnavailable(StorageError):
    """The object store failed, after the retries of its client."""


class ObjectNotFound(StorageError):
    """There is no object under the key."""


class ObjectTooLarge(StorageError):
    """An object is too large to be read into memory."""


class PreconditionFailed(StorageError):
    """A conditional write was refused: the object has changed since the writer read it."""


class UnreadableObject(MonitoryError):
    """An object of the lake has no readable record."""


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
    """Another writer was first: the version exists, or another model was promoted."""


class WorkerDied(MonitoryError):
    """A worker process died before it finished, most likely for lack of memory."""


class DeliveryFailed(MonitoryError):
    """An event or a mail about cases could not be sent; it waits for the next run."""


UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON of the expected type."""
