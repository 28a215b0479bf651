"""The report of a version: one page for a maintenance engineer, without scripts and without network access.

`facts`, `machines`, `coverage`, `presence` and `realised` make tables and sentences of the findings, `figures` draws
them, `canvas` fits drawings to a page of two colour schemes, `page` joins them in the template. `language` has each
text in English and Korean.
"""

from monitory_retrain.report.findings import Findings
from monitory_retrain.report.page import render

__all__ = ["Findings", "render"]
