"""How fast detection is: interleaved runs, medians, and where the time goes."""
