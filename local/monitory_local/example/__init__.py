"""A worked example on public data: NASA's C-MAPSS FD001, played as a factory of 100 machines."""
