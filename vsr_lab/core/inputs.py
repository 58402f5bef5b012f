"""Calling of losses and metrics with those inputs (sr, hr, motion, ...) that the names of their parameters require.

Inputs may be lazy, so that optical flow is computed only if a loss or metric has a parameter `motion`.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from vsr_lab.core.errors import UserError


def required_inputs(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the inputs that a loss or metric requires: those of its parameters that have no default."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.default is inspect.Parameter.empty)


class Inputs:
    """Inputs of losses and metrics by name (sr, hr, motion, ...); some are computed only when they are first used.

    Args:
        values: inputs by name.
        lazy: functions without parameters that compute an input, by name; each is called at most once.
        parent: inputs to use for names that are in neither `values` nor `lazy`; None: there are none.
    """

    def __init__(
        self, values: Mapping[str, Any], lazy: Mapping[str, Callable[[], Any]], parent: "Inputs | None" = None
    ) -> None:
        self._known = dict(values)
        self._lazy = lazy
        self._parent = parent

    @property
    def names(self) -> set[str]:
        """Names of all available inputs, including those of the parent."""
        return {*self._known, *self._lazy, *(self._parent.names if self._parent else ())}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            if name not in self._lazy and self._parent:
                return self._parent[name]
            self._known[name] = self._lazy[name]()
        return self._known[name]

    def call(self, function: Callable[..., Any]) -> Any:
        """Call a loss or metric with the inputs that have the names of its parameters, and return its result.

        Parameters that have a default keep it. Raises UserError if an input is not available.
        """
        names = required_inputs(function)
        missing = [name for name in names if name not in self.names]
        if missing:
            name = getattr(getattr(function, "func", function), "__name__", str(function))
            problem = f"has a parameter {missing[0]}, which is not the name of an input"
            raise UserError(name, problem, f"choose from {', '.join(sorted(self.names))}")
        return function(**{name: self[name] for name in names})
