"""What columns of files mean, and their rows: CSV, spreadsheets, folders of Lookout for Equipment; times."""
