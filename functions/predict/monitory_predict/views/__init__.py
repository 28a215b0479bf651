"""What callers see: the fleet, cases, a machine, out of what is stored. No I/O."""
