"""The factory's logbook: what people write down of failures, maintenance, inspections and false alarms."""
