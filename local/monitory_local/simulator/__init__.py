"""A simulated factory that writes a sensor lake in the producer's format, with the true remaining life known.

    python -m monitory_local.simulator --help

`wear` tells what happens to a machine (pure), `signals` what its sensors read, `producer` how the stream job
writes it, `lake` puts it into S3.
"""
