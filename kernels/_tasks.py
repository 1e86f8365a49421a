"""Work cut into tasks, by its size alone: no bit may depend on the number of threads."""


def share_out(size: int, span: int, alone: int) -> tuple[int, int]:
    """How many tasks there are, and of how many elements each but the last.

    size   of all
    span   of a task, where there are several
    alone  up to so many elements one task is done before another thread has woken

    >>> from kernels._tasks import share_out
    >>> share_out(70, 10, 40), share_out(35, 10, 40)
    ((7, 10), (1, 35))
    """
    span = span if size > alone else max(size, 1)
    return -(-size // span), span
