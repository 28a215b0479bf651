"""What is deployed: `build` makes the zip artifacts, of `wheels` that the lock files name; `audit` looks at these."""
