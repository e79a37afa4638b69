"""The functions of Apply Math Operation, by Studio's categories and names; real numbers only.

Where a function is not defined the result is NaN, as is what it makes of a missing value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from graph.libraries import np, special

Function = Callable[..., Any]

_DEGREES: Final = 180 / math.pi


def _in_degrees(of: Function) -> Function:
    return lambda x: of(x / _DEGREES)


def _to_degrees(of: Function) -> Function:
    return lambda x: of(x) * _DEGREES


def _whole(of: Function) -> Function:
    """Of whole numbers from 0."""
    return lambda x: np.where((x >= 0) & (x == np.floor(x)), of(np.where(x >= 0, np.floor(x), 0)), np.nan)


def _double_factorial(x: Any) -> Any:
    half = x / 2
    even = 2**half * special.gamma(half + 1)
    return np.where(np.mod(x, 2) == 0, even, even * math.sqrt(2 / math.pi))


UNARY_BASIC: Final[Mapping[str, Function]] = {
    "Abs": lambda x: np.abs(x),
    "Conj": lambda x: x,
    "CubeRoot": lambda x: np.cbrt(x),
    "DoubleFactorial": _whole(_double_factorial),
    "Eps": lambda x: np.abs(np.spacing(x)),
    "Exp": lambda x: np.exp(x),
    "ExpMinus1": lambda x: np.expm1(x),
    "Factorial": _whole(lambda x: special.gamma(x + 1)),
    "ImaginaryPart": lambda x: np.where(np.isnan(x), np.nan, 0.0),
    "Ln": lambda x: np.log(x),
    "LnPlus1": lambda x: np.log1p(x),
    "Log10": lambda x: np.log10(x),
    "Log2": lambda x: np.log2(x),
    "RealPart": lambda x: x,
    "Sqrt": lambda x: np.sqrt(x),
    "SqrtPi": lambda x: np.sqrt(x * math.pi),
    "Square": lambda x: np.square(x),
}
BINARY_BASIC: Final[Mapping[str, Function]] = {
    "Atan2": lambda x, y: np.arctan2(x, y),
    "Exp2": lambda x, y: y * np.exp2(x),
    "Hypotenuse": lambda x, y: np.hypot(x, y),
    "Log": lambda x, y: np.log(x) / np.log(y),
    "NthRoot": lambda x, y: np.where(
        (x < 0) & (np.mod(y, 2) == 1), -(np.abs(x) ** (1 / y)), np.power(x, 1 / y)
    ),
    "Pow": lambda x, y: np.power(x, y),
}
ROUNDING: Final[Mapping[str, Function]] = {
    "Ceiling": lambda x, y: np.ceil(x * 10.0**y) / 10.0**y,
    "CeilingPower2": lambda x, y: np.where(
        x > 0, np.exp2(np.ceil(np.log2(np.abs(x)))), np.where(x == 0, 0.0, np.nan)
    ),
    "Floor": lambda x, y: np.floor(x * 10.0**y) / 10.0**y,
    "Mod": lambda x, y: np.mod(x, y),
    "Quotient": lambda x, y: np.trunc(x / y),
    "Remainder": lambda x, y: np.fmod(x, y),
    "RoundDigits": lambda x, y: np.copysign(np.floor(np.abs(x) * 10.0**y + 0.5) / 10.0**y, x),
    "RoundDown": lambda x, y: np.trunc(x * 10.0**y) / 10.0**y,
    "RoundUp": lambda x, y: np.copysign(np.ceil(np.abs(x) * 10.0**y) / 10.0**y, x),
    "ToEven": lambda x, y: 2 * np.round(x / 2),
    "ToOdd": lambda x, y: 2 * np.floor(x / 2) + 1,
    "Truncate": lambda x, y: np.trunc(x * 10.0**y) / 10.0**y,
}
UNARY_SPECIAL: Final[Mapping[str, Function]] = {
    "EllipticIntegralE": lambda x: special.ellipe(x),
    "EllipticIntegralK": lambda x: special.ellipk(x),
    "Erf": lambda x: special.erf(x),
    "Erfc": lambda x: special.erfc(x),
    "ErfScaled": lambda x: special.erfcx(x),
    "ErfInverse": lambda x: special.erfinv(x),
    "ExponentialIntegralEin": lambda x: special.expi(x),
    "Gamma": lambda x: special.gamma(x),
    "GammaLn": lambda x: special.gammaln(x),
}
BINARY_SPECIAL: Final[Mapping[str, Function]] = {
    "Beta": lambda x, y: special.beta(x, y),
    "GammaRegularizedP": lambda x, y: special.gammainc(x, y),
    "GammaRegularizedPInverse": lambda x, y: special.gammaincinv(x, y),
    "GammaRegularizedQ": lambda x, y: special.gammaincc(x, y),
    "GammaRegularizedQInverse": lambda x, y: special.gammainccinv(x, y),
    "PolyGamma": lambda x, y: special.polygamma(np.asarray(y, dtype=np.int64), x),  # type: ignore[no-untyped-call]
}
_ARCS: Final[Mapping[str, Function]] = {
    "Acos": lambda x: np.arccos(x),
    "Acot": lambda x: np.arctan(1 / x),
    "Acsc": lambda x: np.arcsin(1 / x),
    "Asec": lambda x: np.arccos(1 / x),
    "Asin": lambda x: np.arcsin(x),
    "Atan": lambda x: np.arctan(x),
}
_OF_ANGLES: Final[Mapping[str, Function]] = {
    "Cos": lambda x: np.cos(x),
    "Cot": lambda x: 1 / np.tan(x),
    "Csc": lambda x: 1 / np.sin(x),
    "Sec": lambda x: 1 / np.cos(x),
    "Sin": lambda x: np.sin(x),
    "Tan": lambda x: np.tan(x),
}
TRIGONOMETRIC: Final[Mapping[str, Function]] = {
    **_ARCS,
    **{f"{name}Degree{'s' * (name != 'Acos')}": _to_degrees(of) for name, of in _ARCS.items()},
    **_OF_ANGLES,
    **{f"{name}Degrees": _in_degrees(of) for name, of in _OF_ANGLES.items()},
    "Acosh": lambda x: np.arccosh(x),
    "Acoth": lambda x: np.arctanh(1 / x),
    "Asech": lambda x: np.arccosh(1 / x),
    "Asinh": lambda x: np.arcsinh(x),
    "Atanh": lambda x: np.arctanh(x),
    "Cosh": lambda x: np.cosh(x),
    "Coth": lambda x: 1 / np.tanh(x),
    "Csch": lambda x: 1 / np.sinh(x),
    "DegreesToRadians": lambda x: x / _DEGREES,
    "Sech": lambda x: 1 / np.cosh(x),
    "Sign": lambda x: np.sign(x),
    "Sinc": lambda x: np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x)),
    "Sinh": lambda x: np.sinh(x),
    "Tanh": lambda x: np.tanh(x),
}
COMPARISONS: Final[Mapping[str, Function]] = {
    "EqualTo": operator.eq,
    "NotEqualTo": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
PAIRS: Final[Mapping[str, Function]] = {
    "PairMax": lambda x, y: np.maximum(x, y),
    "PairMin": lambda x, y: np.minimum(x, y),
}
OPERATIONS: Final[Mapping[str, Function]] = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
    "Divide": operator.truediv,
}
CATEGORIES: Final[Mapping[str, tuple[Mapping[str, Function], Mapping[str, Function]]]] = {
    "Basic": (UNARY_BASIC, BINARY_BASIC),
    "Compare": ({}, {**COMPARISONS, **PAIRS}),
    "Operations": ({}, OPERATIONS),
    "Rounding": ({}, ROUNDING),
    "Special": (UNARY_SPECIAL, BINARY_SPECIAL),
    "Trigonometric": (TRIGONOMETRIC, {}),
}
"""The functions of one argument, and those of two."""
