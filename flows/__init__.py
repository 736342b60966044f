"""What happens in which order in ilpix: one flow per verb, and the settings.

Flows are imported when they are first used: Prefect takes seconds, and wrong words on a command
line are answered without it.
"""

import sys
from types import ModuleType
from typing import Any

import lazy_loader as lazy

import tasks.environment  # noqa: F401 - before Prefect and numba are imported
from ilpix.rooms import require_own_rooms

require_own_rooms()

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)


class _Face(ModuleType):
    """This package, in which the name of a flow is the flow, never the module that it is in."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
