"""Whether a name found in a file, or the name of a file, is that of a channel of the panel."""

import re
from collections.abc import Sequence

from ilpix.images.panel import Panel
from ilpix.wording import counted

Tokens = tuple[str, ...]
Keys = tuple[tuple[Tokens, ...], ...]  # by channel

_METAL = re.compile(r"(\d{2,3})([a-z]{1,2})(?:di)?|([a-z]{1,2})(\d{2,3})(?:di)?")
_GENERIC = re.compile(r"(channel|ch|c|page|plane|slice|z|t|image|layer)?\d*")


def split_name(name: str) -> Tokens:
    """Return the words of a name in lower case, metals in one spelling (`ir191` for `191Ir`)."""
    words = re.findall(r"[^\W_]+", name.casefold())
    return tuple(_metal(word) for word in words)


def channel_keys(panel: Panel) -> Keys:
    """Return, for each channel, the words of its name and those of its identifier."""
    named = zip(panel.names, panel.channels or panel.names, strict=True)
    return tuple(
        tuple(tokens for tokens in dict.fromkeys(map(split_name, names)) if tokens)
        for names in named
    )


def find_row(name: str, keys: Keys) -> int | None:
    """Return the channel that a name holds; the longest match wins, None where none or several."""
    tokens = split_name(name)
    lengths = [
        max((len("".join(key)) for key in own if holds(tokens, key)), default=0) for own in keys
    ]
    best = max(lengths)
    return lengths.index(best) if best and lengths.count(best) == 1 else None


def holds(tokens: Tokens, key: Tokens) -> bool:
    """Tell whether the words of a name hold those of another, one after the other."""
    return any(
        tokens[start : start + len(key)] == key for start in range(len(tokens) - len(key) + 1)
    )


def without(name: str, keys: Sequence[Tokens]) -> Tokens:
    """Return the words of a name less those of a channel."""
    tokens = split_name(name)
    for key in sorted(keys, key=len, reverse=True):
        for start in range(len(tokens) - len(key) + 1):
            if tokens[start : start + len(key)] == key:
                tokens = tokens[:start] + tokens[start + len(key) :]
                break
    return tokens


def compare_names(found: Sequence[str], panel: Panel) -> str | None:
    """Say where channel names of a file and the panel disagree; None where they do not.

    Names that say nothing, such as `Channel 3`, agree with everything.
    """
    if len(found) != len(panel.names):
        return None
    keys = channel_keys(panel)
    wrong = [
        f"channel {row} is {name} in the file and {panel.names[row]} in {panel.path.name}"
        for row, name in enumerate(found)
        if not _is_generic(name)
        and not any(
            holds(split_name(name), key) or holds(key, split_name(name)) for key in keys[row]
        )
    ]
    if not wrong:
        return None
    return (
        f"other names for {len(wrong)} of {counted(len(found), 'channel')}: {'; '.join(wrong)} "
        "(counted from 0); are the rows of the panel in the order of the image?"
    )


def _metal(word: str) -> str:
    found = _METAL.fullmatch(word)
    if not found:
        return word
    mass, metal = found[1] or found[4], found[2] or found[3]
    return f"{metal}{mass}"


def _is_generic(name: str) -> bool:
    return bool(_GENERIC.fullmatch("".join(split_name(name))))
