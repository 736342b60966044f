"""Changes of a file that a disk, a network or a stranger makes: of bytes, of structure, of text."""

import random
import re
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

Mutation = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, 2, 3, 7, 8, 16, 255, 256, 65535, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
LARGE = (2**40, 2**62, 2**63, 2**64 - 1)
FORMATS = ("B", "<H", ">H", "<I", ">I", "<Q", ">Q")
TEXTS = (
    *("", " ", "0", "1", "-1", "1.5", "1e9", "NaN", "inf", "NA", "true", "None", "µ", "\u202e"),
    *("\0", "\n", "\r", '"', '""', "'", ",", ";", "\t", "=1+1", "../../x", "/etc/passwd"),
    *("%s", "{0}", "9" * 400, "channel", "name", "keep", "ilastik", "\ufeff", "\ud83d\ude00"[:0]),
)


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    broken = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        broken[rng.randrange(len(broken))] = rng.choice([0, 255, rng.randrange(256)])
    return bytes(broken)


def flip_bit(content: bytes, rng: random.Random) -> bytes:
    broken = bytearray(content)
    broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    return bytes(broken)


def change_number(content: bytes, rng: random.Random) -> bytes:
    """Put a number with which sizes and places go wrong where one may be."""
    form = rng.choice(FORMATS)
    width = struct.calcsize(form)
    number = rng.choice((*NUMBERS, *LARGE, len(content))) % 2 ** (8 * width)
    place = rng.randrange(max(1, len(content) - width))
    return content[:place] + struct.pack(form, number) + content[place + width :]


def cut_short(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def zero_block(content: bytes, rng: random.Random) -> bytes:
    """As after a crash: the file has its length, a part of it was never written."""
    start = rng.randrange(len(content))
    length = min(rng.choice([16, 512, 4096]), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


def move_block(content: bytes, rng: random.Random) -> bytes:
    start, target = rng.randrange(len(content)), rng.randrange(len(content))
    block = content[start : start + rng.choice([4, 64, 1024])]
    is_inserted = rng.random() < 0.3
    return content[:target] + block + content[target + (0 if is_inserted else len(block)) :]


def remove_block(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.choice([1, 4, 64, 512]) :]


def append(content: bytes, rng: random.Random) -> bytes:
    return content + rng.randbytes(rng.choice([1, 100, 5000]))


BYTES: tuple[Mutation, ...] = (
    *(change_bytes, flip_bit, change_number, change_number, cut_short),
    *(zero_block, move_block, remove_block, append),
)


def change_tag(content: bytes, rng: random.Random) -> bytes:
    """Change number, type, count or value of one tag of a TIFF file."""
    order = "<" if content[:2] == b"II" else ">"
    is_big = content[2:4] in (b"+\0", b"\0+")
    place_of, entry = (8, "HHQQ") if is_big else (4, "HHII")
    (place,) = struct.unpack_from(order + ("Q" if is_big else "I"), content, place_of)
    (n_tags,) = struct.unpack_from(order + ("Q" if is_big else "H"), content, place)
    size = struct.calcsize(order + entry)
    at = place + (8 if is_big else 2) + size * rng.randrange(n_tags)
    values = list(struct.unpack_from(order + entry, content, at))
    which = rng.choice([0, 1, 2, 3, 3, 3])
    limit = 2 ** (16 if which < 2 else 64 if is_big else 32)
    pool = (*range(256, 290), *range(1, 18)) if which < 2 else (*NUMBERS, *LARGE, len(content))
    values[which] = rng.choice(pool) % limit
    return content[:at] + struct.pack(order + entry, *values) + content[at + size :]


def change_chunk(content: bytes, rng: random.Random) -> bytes:
    """Change a chunk of a PNG file and let its checksum say that all is well."""
    chunks, place = [], 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    index = rng.randrange(len(chunks))
    kind, data = chunks[index]
    chunks[index] = (kind, rng.choice(BYTES)(data or b"\0", rng))
    if rng.random() < 0.1:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    return content[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def change_text(content: bytes, rng: random.Random) -> bytes:
    """Change cells, lines and signs of a table or of JSON, which stays text."""
    lines = content.decode("utf-8").split("\n")
    at = rng.randrange(len(lines))
    cells = lines[at].split(",")
    match rng.randrange(9):
        case 0:
            cells[rng.randrange(len(cells))] = rng.choice(TEXTS)
        case 1:
            cells.insert(rng.randrange(len(cells) + 1), rng.choice(TEXTS))
        case 2:
            cells.pop(rng.randrange(len(cells)))
        case 3:
            rng.shuffle(cells)
        case 4:
            lines.insert(at, rng.choice(lines) * rng.choice([1, 1, 300]))
        case 5:
            rng.shuffle(lines)
        case 6:
            cells[0] = '"' + cells[0] + rng.choice(['"', "", '"x'])
        case 7:
            cells = [rng.choice(";|\t :").join(cells)]
        case 8:
            cells[-1] += rng.choice(TEXTS) + rng.choice(TEXTS)
    lines[min(at, len(lines) - 1)] = ",".join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def change_description(content: bytes, rng: random.Random) -> bytes:
    """Put another number into the description in UTF-16 at the end of an MCD file."""
    places = list(re.finditer(rb">\0(?:\d\0)+<", content))
    found = rng.choice(places)
    number = rng.choice((*NUMBERS, *LARGE, -1, len(content)))
    text = f">{number}".encode("utf-16-le")
    return content[: found.start()] + text + content[found.end() - 1 :]


def recode(content: bytes, rng: random.Random) -> bytes:
    text = content.decode("utf-8")
    encoding = rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "utf-7"])
    return text.encode(encoding, "replace")


def change_object(content: bytes, rng: random.Random) -> bytes:
    """Change one group, dataset or attribute of an HDF5 file by the HDF5 library itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated.h5"
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            where = rng.choice(sorted(names))
            if rng.random() < 0.3:
                _change_attribute(file[rng.choice(["/", where])], rng)
            else:
                del file[where]
                _put_other(file, where, rng)
        return path.read_bytes()


def _change_attribute(item: h5py.Group | h5py.Dataset, rng: random.Random) -> None:
    names = [*item.attrs, "axistags", "ilpix", "blockSlice"]
    item.attrs[rng.choice(names)] = _other_value(rng)


def _put_other(file: h5py.File, where: str, rng: random.Random) -> None:
    match rng.randrange(8):
        case 0:
            file.create_group(where)
        case 1:
            file[where] = h5py.SoftLink(rng.choice(["/", where, "/nowhere"]))
        case 2:
            file[where] = h5py.ExternalLink(rng.choice(["/etc/passwd", "other.h5"]), "/img")
        case 3:
            shape = tuple(rng.choice((*NUMBERS, 2**40)) for _ in range(rng.randrange(1, 4)))
            claimed = tuple(max(1, size) for size in shape)
            file.create_dataset(where, claimed, "u1", chunks=(1,) * len(claimed))
        case 4:
            pass  # it is gone
        case _:
            file[where] = _other_value(rng)


def _other_value(rng: random.Random) -> object:
    kind = rng.choice(["f8", "f4", "f2", "i8", "i4", "u4", "u2", "u1", "?", "c8", "S3"])
    shape = tuple(rng.randrange(4) for _ in range(rng.randrange(4)))
    numbers = np.array(rng.choices((*NUMBERS[:6], -1, float("nan")), k=int(np.prod(shape))))
    with np.errstate(invalid="ignore"):
        values = [
            numbers.astype(kind).reshape(shape),
            rng.choice(TEXTS).replace("\0", "0"),
            rng.randbytes(9).replace(b"\0", b"0"),
            h5py.Empty(kind),
            np.void(rng.randbytes(8)),
            np.zeros(2, [("a", "i4"), ("b", "f4")]),
        ]
    return rng.choice(values)


TIFF = (*BYTES, change_tag, change_tag, change_tag)
PNG = (*BYTES, change_chunk, change_chunk)
HDF5 = (*BYTES, *[change_object] * 4)
MCD = (*BYTES, *[change_description] * 8)
TABLE = (*BYTES, recode, *[change_text] * 6)
