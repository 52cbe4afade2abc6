"""The table of values in the chart's README, from values.yaml and values.schema.json.

`python -m tests.chart.values_table` writes it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import CHART

START = "<!-- values -->"
END = "<!-- end of values -->"


def leaves(chart: Path) -> Iterator[tuple[str, Any]]:
    """Yield each value's path and default. An empty mapping is a value, a filled one is not."""
    yield from _leaves("", yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8")))


def table(chart: Path) -> str:
    """Return the table as Markdown."""
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    rows = ["| value | default | what it is |", "|---|---|---|"]
    for path, default in leaves(chart):
        shown = json.dumps(default) if default not in ("", None) else '""'
        rows.append(f"| `{path}` | `{shown}` | {_description(schema, path)} |")
    rows += [f"| `metricsProviders.NAME.{path}` | | {text} |" for path, text in _provider(schema)]
    return "\n".join(rows)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    whole = path == "resources"
    if not isinstance(value, Mapping) or not value or whole:
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves(f"{path}.{key}" if path else key, inner)


def _description(schema: Mapping[str, Any], path: str) -> str:
    node: Any = schema
    for part in path.split("."):
        node = node["properties"][part]
    return str(node["description"])


def _provider(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    provider = schema["properties"]["metricsProviders"]["additionalProperties"]
    for name, node in provider["properties"].items():
        yield name, node["description"]
        for inner, deep in node.get("properties", {}).items():
            yield f"{name}.{inner}", deep["description"]


def main() -> None:
    """Write the table into the README."""
    readme = CHART / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{START}\n{table(CHART)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
