"""Faults of annotated pictures: `faults` finds those of labels and files, `duplicates` pictures that are nearly the same."""
