"""Why a project cannot be fixed."""

from ilpix.errors import ProblemsError


class FixRefusedError(ProblemsError):
    """A project and its crops cannot be fixed as they are; nothing was changed."""

    heading = "{path} is not fixed"
