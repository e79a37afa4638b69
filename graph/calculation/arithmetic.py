"""The functions of Apply Math Operation, by Studio's categories and names; real numbers only.

Where a function is not defined the result is NaN, as is what it makes of a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from scipy import special

Function = Callable[..., Any]

_POLYGAMMA: Any = special.polygamma
_DEGREES: Final = 180 / math.pi


def _inverse(of: Function) -> Function:
    """Of the reciprocal: the arcsecant is the arccosine of it."""
    return lambda x: of(1 / x)


def _reciprocal(of: Function) -> Function:
    return lambda x: 1 / of(x)


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
    "Abs": np.abs,
    "Conj": lambda x: x,
    "CubeRoot": np.cbrt,
    "DoubleFactorial": _whole(_double_factorial),
    "Eps": lambda x: np.abs(np.spacing(x)),
    "Exp": np.exp,
    "ExpMinus1": np.expm1,
    "Factorial": _whole(lambda x: special.gamma(x + 1)),
    "ImaginaryPart": lambda x: np.where(np.isnan(x), np.nan, 0.0),
    "Ln": np.log,
    "LnPlus1": np.log1p,
    "Log10": np.log10,
    "Log2": np.log2,
    "RealPart": lambda x: x,
    "Sqrt": np.sqrt,
    "SqrtPi": lambda x: np.sqrt(x * math.pi),
    "Square": np.square,
}
BINARY_BASIC: Final[Mapping[str, Function]] = {
    "Atan2": np.arctan2,
    "Exp2": lambda x, y: y * np.exp2(x),
    "Hypotenuse": np.hypot,
    "Log": lambda x, y: np.log(x) / np.log(y),
    "NthRoot": lambda x, y: np.where(
        (x < 0) & (np.mod(y, 2) == 1), -(np.abs(x) ** (1 / y)), np.power(x, 1 / y)
    ),
    "Pow": np.power,
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
    "EllipticIntegralE": special.ellipe,
    "EllipticIntegralK": special.ellipk,
    "Erf": special.erf,
    "Erfc": special.erfc,
    "ErfScaled": special.erfcx,
    "ErfInverse": special.erfinv,
    "ExponentialIntegralEin": special.expi,
    "Gamma": special.gamma,
    "GammaLn": special.gammaln,
}
BINARY_SPECIAL: Final[Mapping[str, Function]] = {
    "Beta": special.beta,
    "GammaRegularizedP": special.gammainc,
    "GammaRegularizedPInverse": special.gammaincinv,
    "GammaRegularizedQ": special.gammaincc,
    "GammaRegularizedQInverse": special.gammainccinv,
    "PolyGamma": lambda x, y: _POLYGAMMA(np.asarray(y, dtype=np.int64), x),
}
TRIGONOMETRIC: Final[Mapping[str, Function]] = {
    "Acos": np.arccos,
    "AcosDegree": _to_degrees(np.arccos),
    "Acosh": np.arccosh,
    "Acot": _inverse(np.arctan),
    "AcotDegrees": _to_degrees(_inverse(np.arctan)),
    "Acoth": _inverse(np.arctanh),
    "Acsc": _inverse(np.arcsin),
    "AcscDegrees": _to_degrees(_inverse(np.arcsin)),
    "Asec": _inverse(np.arccos),
    "AsecDegrees": _to_degrees(_inverse(np.arccos)),
    "Asech": _inverse(np.arccosh),
    "Asin": np.arcsin,
    "AsinDegrees": _to_degrees(np.arcsin),
    "Asinh": np.arcsinh,
    "Atan": np.arctan,
    "AtanDegrees": _to_degrees(np.arctan),
    "Atanh": np.arctanh,
    "Cos": np.cos,
    "CosDegrees": _in_degrees(np.cos),
    "Cosh": np.cosh,
    "Cot": _reciprocal(np.tan),
    "CotDegrees": _in_degrees(_reciprocal(np.tan)),
    "Coth": _reciprocal(np.tanh),
    "Csc": _reciprocal(np.sin),
    "CscDegrees": _in_degrees(_reciprocal(np.sin)),
    "Csch": _reciprocal(np.sinh),
    "DegreesToRadians": lambda x: x / _DEGREES,
    "Sec": _reciprocal(np.cos),
    "SecDegrees": _in_degrees(_reciprocal(np.cos)),
    "Sech": _reciprocal(np.cosh),
    "Sign": np.sign,
    "Sin": np.sin,
    "Sinc": lambda x: np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1.0, x)),
    "SinDegrees": _in_degrees(np.sin),
    "Sinh": np.sinh,
    "Tan": np.tan,
    "TanDegrees": _in_degrees(np.tan),
    "Tanh": np.tanh,
}
CATEGORIES: Final[Mapping[str, Mapping[str, Function]]] = {
    "Basic": {**UNARY_BASIC, **BINARY_BASIC},
    "Rounding": ROUNDING,
    "Special": {**UNARY_SPECIAL, **BINARY_SPECIAL},
    "Trigonometric": TRIGONOMETRIC,
}
