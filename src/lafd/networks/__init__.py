"""What the networks are, in torch (extra `train`); inference needs none of this."""
