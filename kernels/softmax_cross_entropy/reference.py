"""Cross entropy of the softmax of logits: with labels as targets, with probabilities as targets.

logits, target, out_gradient, out_dlogits  (N, C, S); out_gradient empty where not wanted
labels                                     (N, S) int64, each in [0, C) or ignore_index
weight                                     (C,)
sample_scale                               (N, S) float64, or (1, 1) for all
out_loss                                   (N, S) float64; 0 where the label is ignored
"""

import numpy as np


def forward(logits, labels, weight, label_smoothing, ignore_index, scale, out_loss, out_gradient):
    """Each sample's loss, and `scale` times the gradient of it.

    The target is weight * ((1 - label_smoothing) * onehot(label) + label_smoothing / C), the loss
    -sum(target * log p) with p = softmax(logits), its gradient p * sum(target) - target.
    """
    counted = labels != ignore_index
    onehot = np.arange(logits.shape[1])[:, None] == labels[:, None]
    target = onehot * (1 - label_smoothing) + label_smoothing / logits.shape[1]
    _cross_entropy(logits, target * weight[:, None], scale, out_loss, out_gradient)
    np.copyto(out_loss, 0, where=~counted)
    if out_gradient.size:
        np.copyto(out_gradient, 0, where=~counted[:, None])


def forward_soft(logits, target, weight, label_smoothing, scale, out_loss, out_gradient):
    """The same for target = weight * ((1 - label_smoothing) * target + label_smoothing / C)."""
    smooth = target * (1 - label_smoothing) + label_smoothing / logits.shape[1]
    _cross_entropy(logits, smooth * weight[:, None], scale, out_loss, out_gradient)


def _cross_entropy(logits, target, scale, out_loss, out_gradient):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    # A class whose target is 0 may have probability 0.
    terms = np.multiply(target, log_p, out=np.zeros_like(log_p), where=target != 0)
    out_loss[...] = -terms.sum(axis=1)
    if out_gradient.size:
        target_sum = target.sum(axis=1, keepdims=True)
        out_gradient[...] = scale * (np.exp(log_p) * target_sum - target)


def backward(gradient, sample_scale, out_dlogits):
    """dlogits = gradient * sample_scale, sample by sample."""
    out_dlogits[...] = gradient * sample_scale[:, None]
