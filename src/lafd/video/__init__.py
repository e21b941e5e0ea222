"""Films (extra `video`): frames go in at `source`, through `pipeline`, and out at `sink`, `results` and `crops`."""
