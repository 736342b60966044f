"""What is in a project, as tables."""

from command.console import say
from command.tables import print_rows
from ilpix.errors import name_some
from ilpix.project.summary import ProjectSummary
from ilpix.wording import counted

MOST_IMPORTANT = 15  # rows of a table of importances


def print_project(summary: ProjectSummary) -> None:
    """Print what is in a project, a table for each kind of thing."""
    names = [label_class.name for label_class in summary.classes]
    say(f"{summary.name}, Ilastik {summary.ilastik_version}")
    say(f"channels: {', '.join(summary.channel_names) or f'{summary.n_channels}, without names'}")
    classes = [
        {
            "class": label_class.name,
            "colour": f"rgb{label_class.color}",
            "labelled pixels": label_class.labelled_pixels,
            "trained": "yes" if label_class.is_trained else "no",
        }
        for label_class in summary.classes
    ]
    print_rows("classes", classes)
    crops = [
        {"crop": crop.name, "rows × columns": f"{crop.size[0]} × {crop.size[1]}"}
        | dict(zip(names, crop.labelled_pixels, strict=True))
        for crop in summary.crops
        if any(crop.labelled_pixels)
    ]
    print_rows("labelled pixels of each crop", crops)
    if unlabelled := [crop.name for crop in summary.crops if not any(crop.labelled_pixels)]:
        say(f"{counted(len(unlabelled), 'crop')} without labels: {name_some(unlabelled)}")
    features = [
        {"feature": name, "scales (px)": ", ".join(f"{scale:g}" for scale in scales)}
        for name, scales in summary.features
    ]
    print_rows("features", features)
    if forest := summary.forest:
        say(
            f"forest: {counted(sum(forest.trees_per_forest), 'tree')}, "
            f"{counted(forest.n_nodes, 'node')}, "
            f"depth {forest.depth} (mean {forest.mean_depth:.1f}), "
            f"{forest.n_used_columns} of {counted(forest.n_columns, 'column')} used"
        )
    problems = [{"where": item.where, "what": item.what} for item in summary.training_problems]
    print_rows("of no use for training; it hinders no prediction", problems)
    for kind, importances in (
        ("feature", summary.feature_importance[:MOST_IMPORTANT]),
        ("channel", summary.channel_importance[:MOST_IMPORTANT]),
    ):
        rows = [{kind: item.name, "share": f"{100 * item.share:.1f} %"} for item in importances]
        print_rows(f"what the splits rely on, by {kind}", rows)
