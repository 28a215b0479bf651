"""The commonest request, answered without the web framework, and what the application shares with that."""
