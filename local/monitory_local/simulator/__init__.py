"""A simulated factory that writes a sensor lake in the producer's format, with the true remaining life known.

    python -m monitory_local.simulator --help

`wear` tells what happens to a machine (pure), `classes` what kinds of machines there are, `triage` in which state the
factory is at a demonstration, `signals` and `readings` what sensors read, `faults` how they lie, `producer` how the
stream job writes it, `records` what people write into their log; `lake` puts it into S3.
"""
