"""HTTP: routes and the schemas of their answers."""
