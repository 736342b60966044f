"""The job templates of the work pools: each variable is used, and nothing is used that is none."""

import json
import re
from pathlib import Path

import pytest

POOLS = sorted((Path(__file__).parents[2] / "deployments" / "pools").glob("*.json"))


@pytest.mark.parametrize("template", POOLS, ids=lambda path: path.stem)
def test_every_placeholder_is_a_variable_and_every_variable_a_placeholder(template: Path) -> None:
    content = json.loads(template.read_text())
    placeholders = set(re.findall(r"{{ (\w+) }}", json.dumps(content["job_configuration"])))
    assert placeholders == set(content["variables"]["properties"])


@pytest.mark.parametrize("template", POOLS, ids=lambda path: path.stem)
def test_every_variable_has_a_title_and_a_default_unless_it_may_be_empty(template: Path) -> None:
    variables = json.loads(template.read_text())["variables"]
    for name, field in variables["properties"].items():
        assert field["title"], name
        assert not (name in variables.get("required", ()) and "default" in field), name
