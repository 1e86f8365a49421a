"""A batch of images from a data set of bytes, normalized."""

import numpy as np

from bench.case import Contender
from kernels import gather_normalize


def with_numpy(
    images: np.ndarray, indices: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> Contender:
    def forward():
        batch = images[indices].astype(np.float32)
        batch *= (1 / (255 * std)).astype(np.float32)[:, None, None]
        batch -= (mean / std).astype(np.float32)[:, None, None]
        return batch, None

    return Contender(forward)


def with_nnet(
    images: np.ndarray, indices: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> Contender:
    return Contender(lambda: (gather_normalize.forward(images, indices, mean, std), None))


def with_torch(
    images: np.ndarray, indices: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> Contender:
    import torch

    source, chosen = torch.tensor(images), torch.tensor(indices)
    scale = torch.tensor(1 / (255 * std), dtype=torch.float32)[:, None, None]
    shift = torch.tensor(mean / std, dtype=torch.float32)[:, None, None]
    return Contender(lambda: (source[chosen].float().mul_(scale).sub_(shift), None))
