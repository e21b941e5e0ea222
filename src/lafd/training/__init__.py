"""How the weights are made (extra `train`): data, augmentation, assignment, loss, loop, export."""
