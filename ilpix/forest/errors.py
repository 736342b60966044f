"""Why a forest cannot be grown."""

from ilpix.errors import IlpixError


class OneClassError(IlpixError, ValueError):
    """Every label is of the same class, so there is nothing to tell apart."""

    label: int

    def __str__(self) -> str:
        return (
            f"all labels are of class {self.label} (counted from 1); "
            "label at least one more class to train a classifier"
        )
