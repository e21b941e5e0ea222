"""Files of Apache MXNet (retired) and networks of the LFFD family in them, read without MXNet.

`params` and `symbol` read the two files, `network` checks that they fit, `decoding` says what the outputs mean,
`export` writes ONNX (extra `mxnet`), `strict` computes what the original detector computed, its faults included.
"""
