"""The pictures of the documentation."""

import doctest
import os

import pytest

from monitory_local import pictures


def test_the_examples_are_true() -> None:
    assert doctest.testmod(pictures).failed == 0


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        pictures.main([])
