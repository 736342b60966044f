"""Panels are read as steinbock reads them, and every fault is named with its line."""

import codecs
from pathlib import Path

import pytest

from ilpix.errors import NoPanelError
from ilpix.images.errors import ChannelCountError, InvalidPanelError
from ilpix.images.panel import ChannelGroup, Panel, read_panel, require_channels

GROUPED = "channel,name,keep,ilastik\nIr191,DNA1,1,1\nY89,CD45,1,2.0\nIr193,DNA2,1,1\nXe134,,1,\n"
EXPECTED_GROUPS = (ChannelGroup("DNA1+DNA2", (0, 2)), ChannelGroup("CD45", (1,)))


def _panel(folder: Path, text: str | bytes) -> Panel:
    path = folder / "panel.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_panel(path)


def _problems(folder: Path, text: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPanelError) as caught:
        _panel(folder, text)
    return [(problem.where, problem.what) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GROUPED.encode(), id="plain"),
        pytest.param(codecs.BOM_UTF8 + GROUPED.encode(), id="byte-order-mark"),
        pytest.param(GROUPED.replace(",", ";").encode(), id="semicolons"),
        pytest.param(GROUPED.replace(",", ";").replace("2.0", "2,0").encode(), id="decimal-comma"),
        pytest.param(GROUPED.replace("\n", "\r\n").encode(), id="windows-lines"),
        pytest.param(GROUPED.replace("DNA1", '"DNA1"').encode(), id="quotes"),
        pytest.param(GROUPED.replace(",", " , ").encode(), id="spaces"),
        pytest.param((GROUPED + ",,,\n\n").encode(), id="empty-rows-at-the-end"),
        pytest.param(GROUPED.replace(",1,", ",True,").encode(), id="keep-in-words"),
        pytest.param(GROUPED.replace(",", "\t").encode(), id="tabs"),
        pytest.param(GROUPED.replace(",", "\t").encode("utf-16"), id="utf-16-tabs-as-excel-writes"),
        pytest.param(GROUPED.replace(",", ";").encode("utf-16"), id="utf-16"),
        pytest.param(
            GROUPED.replace("channel,name,keep,ilastik", "Channel,NAME,Keep,Ilastik").encode(),
            id="capital-header",
        ),
    ],
)
def test_every_common_spelling_of_csv_gives_the_same_panel(tmp_path: Path, text: bytes) -> None:
    panel = _panel(tmp_path, text)
    assert panel.names == ("DNA1", "CD45", "DNA2", "Xe134")
    assert panel.groups == EXPECTED_GROUPS


def test_a_quoted_name_keeps_its_comma(tmp_path: Path) -> None:
    assert _panel(tmp_path, 'channel,name\nY89,"CD45, total"\n').names == ("CD45, total",)


def test_groups_are_ordered_by_number_and_not_by_text(tmp_path: Path) -> None:
    panel = _panel(tmp_path, "channel,name,ilastik\na,ten,10\nb,nine,9\nc,half,0.5\n")
    assert panel.groups is not None
    assert [group.name for group in panel.groups] == ["half", "nine", "ten"]


@pytest.mark.parametrize("text", ["channel,name\na,A\n", "channel,name,ilastik\na,A,\n"])
def test_without_a_group_number_channels_stay_as_they_are(tmp_path: Path, text: str) -> None:
    assert _panel(tmp_path, text).groups is None


def test_rows_that_are_not_kept_stand_for_no_channel(tmp_path: Path) -> None:
    panel = _panel(tmp_path, "channel,name,keep,ilastik\na,A,0,1\nb,B,1,2\nc,C,1,1\n")
    assert panel.names == ("B", "C")
    assert panel.groups == (ChannelGroup("C", (1,)), ChannelGroup("B", (0,)))
    assert panel.n_dropped == 1


def test_all_faults_are_named_at_once_with_their_lines(tmp_path: Path) -> None:
    text = "channel,name,keep,ilastik\na,A,1,x\n,B,maybe,1\na,C,,inf\nd,A,1,\n"
    assert _problems(tmp_path, text) == [
        ("line 3", "has no channel"),
        ("line 2", "channel 'a' is there 2 times; rename all but one"),
        ("line 4", "channel 'a' is there 2 times; rename all but one"),
        ("line 2", "name 'A' is there 2 times; rename all but one"),
        ("line 5", "name 'A' is there 2 times; rename all but one"),
        ("line 3", "keep is 'maybe'; write 1 or 0"),
        ("line 4", "keep is ''; write 1 or 0"),
        ("line 2", "ilastik is 'x'; write a number or leave it empty"),
        ("line 4", "ilastik is 'inf'; write a number or leave it empty"),
    ]


def test_missing_and_repeated_columns_are_named(tmp_path: Path) -> None:
    assert _problems(tmp_path, "Kanal,ilastik,Ilastik\na,1,1\n") == [
        ("header", "column 'channel' is missing"),
        ("header", "column 'name' is missing"),
        ("header", "column 'ilastik' is there twice"),
    ]


def test_a_row_longer_than_the_header_is_a_fault(tmp_path: Path) -> None:
    assert _problems(tmp_path, "channel,name\na,A,1\n") == [
        ("line 2", "has more cells than the header")
    ]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        pytest.param("", "header", "", id="empty"),
        pytest.param("channel,name\n", "rows", "add one row per channel", id="no-rows"),
        pytest.param("channel,name,keep\na,A,0\n", "rows", "", id="nothing-kept"),
        pytest.param("channel,name\na,µ\n".encode("latin-1"), "byte 15", "", id="not-utf-8"),
        pytest.param('channel,name\na,A\nb,"B\nc,C\n', "line 3", "", id="quote-without-end"),
    ],
)
def test_a_panel_without_channels_is_refused(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    place, problem, *_ = _problems(tmp_path, text)[0]
    assert place == where
    assert what in problem


def test_a_missing_panel_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(NoPanelError, match=r"there is no panel .*none\.csv; write one"):
        read_panel(tmp_path / "none.csv")


def test_another_number_of_channels_is_refused(tmp_path: Path) -> None:
    panel = _panel(tmp_path, GROUPED)
    require_channels(panel, 4)
    with pytest.raises(
        ChannelCountError, match=r"has 5 channels, but .* describes 4; each kept row"
    ):
        require_channels(panel, 5)


def test_channels_that_the_panel_does_not_keep_are_explained(tmp_path: Path) -> None:
    panel = _panel(tmp_path, "channel,name,keep\na,A,1\nb,B,0\n")
    with pytest.raises(ChannelCountError, match="leaves out 1 by a 0 in column 'keep'"):
        require_channels(panel, 2)


@pytest.mark.parametrize("empty", ["", "NA", "NaN", "nan", "N/A", "null", "None", "<NA>", " NA "])
def test_empty_cells_are_those_of_pandas(tmp_path: Path, empty: str) -> None:
    text = f"channel,name,ilastik\na,A,1\nb,{empty},{empty}\nc,C,2\n"
    panel = _panel(tmp_path, text)
    assert panel.names == ("A", "b", "C")
    assert panel.groups == (ChannelGroup("A", (0,)), ChannelGroup("C", (2,)))


def test_a_table_of_r_has_row_names_and_quotes(tmp_path: Path) -> None:
    text = '"","channel","name","ilastik"\n"1","a","A",2\n"2","b","B",NA\n"3","c","C",1\n'
    panel = _panel(tmp_path, text)
    assert panel.names == ("A", "B", "C")
    assert panel.groups == (ChannelGroup("C", (2,)), ChannelGroup("A", (0,)))


def test_lines_are_counted_across_empty_and_broken_ones(tmp_path: Path) -> None:
    text = 'channel,name,ilastik\n\na,"A\nalpha",1\nb,B,inf\n'
    assert [where for where, _ in _problems(tmp_path, text)] == ["line 5"]


ZEROS = "channel,name,ilastik\na,A,1\nb,B,1\nc,C,0\nd,D,0\n"


@pytest.mark.parametrize(
    "text",
    [ZEROS, ZEROS.replace(",1", ",True").replace(",0", ",False"), ZEROS.replace("0\n", "0.0\n")],
)
def test_zeros_are_a_group_as_in_steinbock_but_not_without_a_word(
    tmp_path: Path, text: str
) -> None:
    panel = _panel(tmp_path, text)
    assert panel.groups == (ChannelGroup("C+D", (2, 3)), ChannelGroup("A+B", (0, 1)))
    (note,) = panel.notes
    assert "2 channels with a 0 in column 'ilastik' (C, D)" in note
    assert "--zero-unused" in note


def test_zeros_can_mean_not_used_and_then_the_ones_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_text(ZEROS)
    panel = read_panel(tmp_path / "panel.csv", zero_unused=True)
    assert panel.groups == (ChannelGroup("A", (0,)), ChannelGroup("B", (1,)))
    assert panel.notes == ()


def test_numbers_beside_unused_zeros_stay_groups(tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_text("channel,name,ilastik\na,A,2\nb,B,1\nc,C,2\nd,D,0\n")
    panel = read_panel(tmp_path / "panel.csv", zero_unused=True)
    assert panel.groups == (ChannelGroup("B", (1,)), ChannelGroup("A+C", (0, 2)))


def test_texts_are_groups_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    panel = _panel(tmp_path, "channel,name,ilastik\na,A,nuclear\nb,B,membrane\nc,C,nuclear\nd,D,\n")
    assert panel.groups == (ChannelGroup("B", (1,)), ChannelGroup("A+C", (0, 2)))
    assert "order of the alphabet: membrane, nuclear" in panel.notes[0]


def test_a_panel_of_the_older_pipeline_says_which_line_to_change(tmp_path: Path) -> None:
    text = "Metal Tag,Target,full,ilastik\nIr191,DNA1,1,1\n"
    assert _problems(tmp_path, text) == [
        (
            "line 1",
            "has the columns of an older pipeline; change the line to: channel,name,keep,ilastik",
        )
    ]
