"""Cross entropy of the softmax of logits, with labels as classes.

logits, out_gradient, out_dlogits  (N, C)
labels                             (N,) int64, each in [0, C) or ignore_index
weight                             (C,)
row_scale                          (N,) float64
out_loss, out_weight               (N,) float64; 0 where the label is ignored
"""

import numpy as np


def forward(
    logits, labels, weight, label_smoothing, ignore_index, out_loss, out_weight, out_gradient
):
    """Each row's loss, the weight it counts with in a mean, and the gradient of its loss.

    The target is weight * ((1 - label_smoothing) * onehot(label) + label_smoothing / C), the loss
    -sum(target * log p) with p = softmax(logits), its gradient p * sum(target) - target.
    """
    rows, classes = logits.shape
    counted = labels != ignore_index
    label = np.where(counted, labels, 0)
    target = np.full((rows, classes), label_smoothing / classes)
    target[np.arange(rows), label] += 1 - label_smoothing
    target *= weight * counted[:, None]

    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    # A class that is not aimed at may have probability 0.
    aimed = np.multiply(target, log_p, out=np.zeros_like(target), where=target != 0)
    out_loss[...] = -aimed.sum(axis=1)
    out_weight[...] = weight[label] * counted
    out_gradient[...] = np.exp(log_p) * target.sum(axis=1, keepdims=True) - target


def backward(gradient, row_scale, out_dlogits):
    """dlogits = gradient * row_scale, row by row."""
    out_dlogits[...] = gradient * row_scale[:, None]
