"""Import: CSV history, maintenance spreadsheets and Lookout for Equipment's folders -> the lake and the failure log."""
