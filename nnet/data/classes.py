"""Names of classes."""

import numpy as np

# More have to be shown by as many labels.
_CLASSES = 1 << 16


def names_of(labels: np.ndarray) -> tuple[str, ...]:
    """Of classes that are told by their numbers alone: "0", "1", ... up to the largest label.

    labels  (N,) integers

    Raises ValueError for a label of 65536 or more that is not below N either.

    >>> import numpy as np
    >>> names_of(np.array([2, 0, 2]))
    ('0', '1', '2')
    """
    count = int(labels.max()) + 1 if labels.size else 0
    if count > max(_CLASSES, len(labels)):
        raise ValueError(
            f"expected labels from 0 to {_CLASSES - 1}, or names of the classes, got {count - 1} "
            f"at {int(labels.argmax())}"
        )
    return tuple(map(str, range(count)))
