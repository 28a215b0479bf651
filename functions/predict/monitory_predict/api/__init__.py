"""HTTP: routes, the schemas of their answers, and what adapts them to gateways."""
