"""Log lines as Ilastik has them: short for information, with time and process for the rest."""

import logging
import sys
import threading


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        if record.levelno <= logging.INFO:
            return f"{record.levelname} {record.name}: {record.getMessage()}"
        module = record.name.rpartition(".")[2]
        ids = f"{record.process} {threading.get_ident()}"
        return f"{record.levelname} {self.formatTime(record)} {module} {ids} {record.getMessage()}"


def start_logging() -> None:
    """Send the lines of this package and of ilpix to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    for name in ("ilastik", "ilpix"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
