"""How property tests run here: without a deadline, since machines that run tests are busy."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
