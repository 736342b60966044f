"""Pixel classification of multiplexed tissue images with Ilastik's own numbers.

What a notebook needs can be imported from here; `__init__.pyi` says where each name lives. A name's
module is imported when it is first used, so that importing `ilpix` costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
