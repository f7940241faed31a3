"""`weir schema`."""

import json

from click.testing import CliRunner

from proxy.cli.schema import schema


def test_prints_a_draft_07_schema_and_nothing_else() -> None:
    result = CliRunner().invoke(schema)
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert {"listen", "services"} <= printed["properties"].keys()
