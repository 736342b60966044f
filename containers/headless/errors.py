"""Why a headless command line cannot be carried out."""


class ExportError(Exception):
    """The output is not wanted in a way that this program knows."""
