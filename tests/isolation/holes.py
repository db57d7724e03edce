"""Plant a hole: run a function of the portal with a piece of its source left out."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any


@contextmanager
def planted(view: Callable[..., Any], text: str, instead: str) -> Iterator[None]:
    """While this lasts, `instead` stands where the source of the function has `text`."""
    function: Any = inspect.unwrap(view)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(text) == 1, source
    compiled = compile(source.replace(text, instead), inspect.getfile(function), "exec")
    whole = function.__code__
    function.__code__ = _code_of(compiled, function.__name__)
    try:
        yield
    finally:
        function.__code__ = whole


def _code_of(compiled: CodeType, name: str) -> CodeType:
    return next(
        constant
        for constant in compiled.co_consts
        if isinstance(constant, CodeType) and constant.co_name == name
    )
