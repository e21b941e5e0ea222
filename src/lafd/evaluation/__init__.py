"""How good detections are: average precision, operating points, slices."""
