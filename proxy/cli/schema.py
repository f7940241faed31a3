"""The verb `weir schema`, which prints the JSON Schema of the config file."""

import json

import click

from proxy.config.schema_json import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema (draft-07) of the config file, for completion and checks in editors.

    Save it with `weir schema > weir.schema.json`, and make the first line of weir.yaml
    `# yaml-language-server: $schema=weir.schema.json`.
    """
    click.echo(json.dumps(json_schema(), indent=2))
