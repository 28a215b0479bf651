"""LightGBM's C library through its C API: load a model text, predict and explain single rows.

The Python package of LightGBM imports scipy and numpy and spends 50 us in each call; the library itself needs
neither and answers a row in single microseconds. Signatures: LightGBM's `include/LightGBM/c_api.h`.
"""

import ctypes
import importlib.util
import threading
import weakref
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from monitory.errors import BrokenModel

_PREDICT_NORMAL = 0
_PREDICT_CONTRIB = 3
_DTYPE_FLOAT64 = 1
_ROW_MAJOR = 1
_PARAMETERS = b"num_threads=1"


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """The shared library out of the lightgbm package, located without importing it.

    Raises:
        BrokenModel: no library is installed, or the loader refuses it (libgomp missing, say).
    """
    spec = importlib.util.find_spec("lightgbm")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / "lib" / "lib_lightgbm.so"
        if path.exists():
            try:
                library = ctypes.CDLL(str(path))
            except OSError as exc:
                raise BrokenModel(f"LightGBM's library cannot be loaded: {exc}") from exc
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            return library
    raise BrokenModel("LightGBM's library lib_lightgbm.so is not installed")


def _call(function: str, *arguments: object) -> None:
    """Call the library.

    Raises:
        BrokenModel: the call failed; carries the library's own error text.
    """
    library = _library()
    if getattr(library, function)(*arguments):
        raise BrokenModel(f"{function}: {library.LGBM_GetLastError().decode(errors='replace')}")


class Booster:
    """A model in LightGBM's memory; its handles are freed with it."""

    def __init__(self, text: bytes) -> None:
        """Load a model text.

        The library's parser trusts its input: a malformed text can crash the process. Callers verify its origin
        first.

        Raises:
            BrokenModel: the library refuses the text, or the model has several outputs.
        """
        handle, iterations = ctypes.c_void_p(), ctypes.c_int()
        _call(
            "LGBM_BoosterLoadModelFromString",
            ctypes.c_char_p(text),
            ctypes.byref(iterations),
            ctypes.byref(handle),
        )
        weakref.finalize(self, _library().LGBM_BoosterFree, handle)
        width, classes = ctypes.c_int(), ctypes.c_int()
        _call("LGBM_BoosterGetNumFeature", handle, ctypes.byref(width))
        _call("LGBM_BoosterGetNumClasses", handle, ctypes.byref(classes))
        if classes.value != 1:
            raise BrokenModel(f"the model has {classes.value} outputs instead of one")
        self.width = width.value
        self._handle = handle
        self._row = (ctypes.c_double * self.width)()
        self._result = (ctypes.c_double * (self.width + 1))()
        self._lock = threading.Lock()  # the row and the result are shared
        self._value = self._prepare(_PREDICT_NORMAL)
        self._contributions = self._prepare(_PREDICT_CONTRIB)

    def predict(self, row: Sequence[float]) -> float:
        """The prediction for a row of `width` values; NaN is a missing value, a category is its code."""
        with self._lock:
            self._run(self._value, row)
            return float(self._result[0])

    def predict_rows(self, rows: memoryview) -> list[float]:
        """The predictions for many rows of `width` doubles, writable and one behind the other; the same as by row."""
        values = (ctypes.c_double * (rows.nbytes // ctypes.sizeof(ctypes.c_double))).from_buffer(rows)
        count, length = len(values) // self.width, ctypes.c_int64()
        result = (ctypes.c_double * count)()
        _call(
            "LGBM_BoosterPredictForMat",
            self._handle,
            values,
            ctypes.c_int(_DTYPE_FLOAT64),
            ctypes.c_int32(count),
            ctypes.c_int32(self.width),
            ctypes.c_int(_ROW_MAJOR),
            ctypes.c_int(_PREDICT_NORMAL),
            ctypes.c_int(0),
            ctypes.c_int(-1),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(length),
            result,
        )
        return list(result)

    def contributions(self, row: Sequence[float]) -> list[float]:
        """What each feature adds to the prediction (TreeSHAP), shape (width + 1,); the last is the base value.

        They sum up to the prediction. Lundberg et al., "Consistent Individualized Feature Attribution for
        Tree Ensembles", 2018.
        """
        with self._lock:
            self._run(self._contributions, row)
            return list(self._result)

    def _prepare(self, predict_type: int) -> ctypes.c_void_p:
        config = ctypes.c_void_p()
        _call(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            self._handle,
            ctypes.c_int(predict_type),
            ctypes.c_int(0),
            ctypes.c_int(-1),
            ctypes.c_int(_DTYPE_FLOAT64),
            ctypes.c_int32(self.width),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(config),
        )
        weakref.finalize(self, _library().LGBM_FastConfigFree, config)
        return config

    def _run(self, config: ctypes.c_void_p, row: Sequence[float]) -> None:
        self._row[:] = list(row)
        length = ctypes.c_int64()
        _call("LGBM_BoosterPredictForMatSingleRowFast", config, self._row, ctypes.byref(length), self._result)
