"""Faults of annotated pictures: `duplicates` finds pictures that are nearly the same."""
