"""The report of a version: one page for a maintenance engineer, without scripts and without network access.

`facts` makes tables and sentences of what the job found, `figures` draws, `canvas` makes drawings fit for a page of
two colour schemes, `page` puts all together.
"""

from monitory_retrain.report.facts import Findings
from monitory_retrain.report.page import render

__all__ = ["Findings", "render"]
