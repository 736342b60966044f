"""Files of other formats: what they are, by how they begin, and which program converts them."""

import zipfile
from pathlib import Path

_BIOFORMATS = "convert it to OME-TIFF (bioformats2raw with raw2ometiff, or QuPath)"
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"ZISRAWFILE", "a CZI file (Zeiss)", _BIOFORMATS),
    (b"\xda\xce\xbe\x0a", "an ND2 file (Nikon)", _BIOFORMATS),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 or old ND2 file", _BIOFORMATS),
    (b"\xff\xd8\xff", "a JPEG picture", "its values are altered; export the raw data as TIFF"),
    (b"\x89PNG", "a PNG picture", "export the raw data as TIFF"),
    (b"\x89HDF", "an HDF5 file", "prepared images go to the folder ilastik_img"),
    (b"\x93NUMPY", "a NumPy file", "save the array with tifffile.imwrite(…, metadata={'axes': …})"),
    (b"\x70\x00\x00\x00", "a LIF file (Leica)", _BIOFORMATS),
    (b"%PDF", "a PDF document", "export the raw data as TIFF"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it (gunzip)"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"GIF8", "a GIF picture", "export the raw data as TIFF"),
    (b"BM", "a BMP picture", "export the raw data as TIFF"),
    (b"<html", "a web page", "the download failed; download it again"),
    (b"<!DOCTYPE", "a web page", "the download failed; download it again"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch its content (git lfs pull)"),
)
_BY_SUFFIX = {
    ".czi": ("a CZI file (Zeiss)", _BIOFORMATS),
    ".nd2": ("an ND2 file (Nikon)", _BIOFORMATS),
    ".lif": ("a LIF file (Leica)", _BIOFORMATS),
    ".oir": ("an OIR file (Olympus)", _BIOFORMATS),
    ".vsi": ("a VSI file (Olympus)", _BIOFORMATS),
    ".ims": ("an Imaris file", _BIOFORMATS),
    ".svs": ("an SVS slide", _BIOFORMATS),
    ".ndpi": ("an NDPI slide", _BIOFORMATS),
    ".mrxs": ("a MIRAX slide", _BIOFORMATS),
    ".scn": ("an SCN slide", _BIOFORMATS),
    ".qptiff": ("a QPTIFF slide (Akoya)", _BIOFORMATS),
    ".jpg": ("a JPEG picture", "its values are altered; export the raw data as TIFF"),
    ".jpeg": ("a JPEG picture", "its values are altered; export the raw data as TIFF"),
    ".png": ("a PNG picture", "export the raw data as TIFF"),
    ".jp2": ("a JPEG 2000 picture", "export the raw data as TIFF"),
    ".npy": ("a NumPy file", "save the array with tifffile.imwrite(…, metadata={'axes': …})"),
    ".npz": ("a NumPy file", "save the array with tifffile.imwrite(…, metadata={'axes': …})"),
    ".h5": ("an HDF5 file", "prepared images go to the folder ilastik_img"),
    ".hdf5": ("an HDF5 file", "prepared images go to the folder ilastik_img"),
    ".mcd": ("raw imaging mass cytometry", "read it with ilpix import"),
    ".zip": ("an archive", "unpack it"),
    ".7z": ("an archive", "unpack it"),
    ".rar": ("an archive", "unpack it"),
    ".gz": ("compressed with gzip", "unpack it"),
    ".icloud": ("a placeholder of a cloud folder", "download the file itself"),
}


def recognise(path: Path) -> str | None:
    """Say what a file is that was taken for an image, and what to do; None where it is not known.

    Args:
        path: a file; only its beginning is read.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(64)
    except OSError:
        return None
    if not begin:
        return "it is empty (0 bytes), a placeholder of a cloud folder or a failed copy"
    if begin.startswith(b"PK\x03\x04"):
        return describe_archive(path)
    stripped = begin.lstrip()
    for signature, what, advice in _SIGNATURES:
        if begin.startswith(signature) or stripped.startswith(signature):
            return f"it is {what}: {advice}"
    if not begin.strip(b"\0"):
        return "it begins with nothing but zeros, a download that never finished"
    return None


def describe_archive(path: Path) -> str:
    """Say what is wrong with a ZIP archive that was taken for an image."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(item.flag_bits & 1 for item in archive.infolist()):
                return "it is a ZIP archive that is protected by a password: unpack it first"
    except (zipfile.BadZipFile, OSError):
        return "it is a ZIP archive that is cut short: copy it again"
    return "it is a ZIP archive: unpack it first"


def describe_suffix(path: Path) -> str | None:
    """Say what a file is by its name alone; None for images and for what is no image."""
    known = _BY_SUFFIX.get(path.suffix.lower())
    return f"is {known[0]}: {known[1]}" if known else None
