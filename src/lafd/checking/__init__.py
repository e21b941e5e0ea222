"""Faults of annotated pictures: of files and boxes, labels that a model doubts, and pictures that are there twice."""
