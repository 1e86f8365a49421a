"""The contenders of each op, one module an op.

`with_numpy` is the best NumPy that one would still write: vectorized, float32 throughout, BLAS
where it is a matrix product, no loop over samples or pixels. `with_nnet` is this library's op.
`with_torch` is PyTorch's function under its autograd, which is how it is used.
"""
