"""Which function of each element, with its parameters."""

from typing import NamedTuple


class ReLU(NamedTuple):
    """max(x, 0); the derivative at 0 is 0."""


class LeakyReLU(NamedTuple):
    """x above 0, negative_slope * x below; the derivative at 0 is negative_slope."""

    negative_slope: float = 0.01


class ELU(NamedTuple):
    """scale * x above 0, scale * alpha * (e^(rate x) - 1) below; alpha * rate >= 0.

    The exponential linear unit and its scaled and continuously differentiable relatives.
    """

    alpha: float = 1.0
    scale: float = 1.0
    rate: float = 1.0


class Hardtanh(NamedTuple):
    """x limited to [min_val, max_val]; the derivative is 0 there and beyond."""

    min_val: float = -1.0
    max_val: float = 1.0


class Sigmoid(NamedTuple):
    """1 / (1 + e^-x)."""


class Tanh(NamedTuple):
    """(e^x - e^-x) / (e^x + e^-x)."""


class GELU(NamedTuple):
    """x times the share of the standard normal distribution below x."""


class TanhGELU(NamedTuple):
    """GELU with (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 for that share."""


class SiLU(NamedTuple):
    """x / (1 + e^-x)."""


class Softplus(NamedTuple):
    """log(1 + e^(beta x)) / beta, and x where beta x > threshold."""

    beta: float = 1.0
    threshold: float = 20.0


class LogSigmoid(NamedTuple):
    """-log(1 + e^-x)."""


Formula = (
    ReLU
    | LeakyReLU
    | ELU
    | Hardtanh
    | Sigmoid
    | Tanh
    | GELU
    | TanhGELU
    | SiLU
    | Softplus
    | LogSigmoid
)

# Those whose derivative follows from the output; the others keep the input.
_FROM_OUTPUT = (ReLU, LeakyReLU, ELU, Hardtanh, Sigmoid, Tanh)


def keeps_output(formula: Formula) -> bool:
    """Whether backward takes the output, where the derivative follows from it, or the input."""
    if isinstance(formula, LeakyReLU):
        return formula.negative_slope >= 0
    return isinstance(formula, _FROM_OUTPUT)


def keeps_input_too(formula: Formula) -> bool:
    """Whether backward looks at the input where the output has lost what the derivative is."""
    return isinstance(formula, ELU)
