"""What a lake holds, what is wrong with it, and what to do: reads a bounded sample, changes nothing."""
