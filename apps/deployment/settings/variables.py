"""
The environment variables of the API, from variables.csv. This command writes docs/settings.md from them.

    python -m apps.deployment.settings.variables

`moped_api/settings.py` reads the variables and has their defaults. A new variable needs one line in the
table and one line in that file.
"""

import ast
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from apps.deployment.paths import PROJECT

SETTINGS = PROJECT / "moped_api" / "settings.py"
DOCUMENT = PROJECT / "docs" / "settings.md"


class Variable(NamedTuple):
    """
    One environment variable: a line of variables.csv.

    :param output: the output of a stage's stack (infrastructure/moped-api.yaml) that provides the value
    :param laptop: the value on a laptop before `make run`, with EMULATOR for the emulator's URL
    """

    name: str
    output: str
    laptop: str
    meaning: str


with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as table:
    VARIABLES = tuple(Variable(**line) for line in csv.DictReader(table))


def from_outputs(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the variables that a stack provides."""
    return {variable.name: outputs[variable.output] for variable in VARIABLES if variable.output in outputs}


def laptop_values(emulator_url: str) -> dict[str, str]:
    """Return the values of a laptop's variables before `make run`."""
    values = {variable.name: variable.laptop for variable in VARIABLES if variable.laptop}
    return {name: value.replace("EMULATOR", emulator_url) for name, value in values.items()}


def readers() -> Iterator[tuple[str, str, str | None]]:
    """Yield each variable in settings.py with its setting and its default (None if required)."""
    for statement in ast.parse(SETTINGS.read_text(encoding="utf-8")).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("env.") and call.args:
                yield ast.literal_eval(call.args[0]), ", ".join(map(ast.unparse, targets)), _default(call)


HEADING = """# Settings

See which variables are missing or wrong:

```sh
python manage.py check
```

A stage gets the values in the column *stack output* from its CloudFormation stack. Write the others
into `aws_environment_variables` of `zappa_settings.json`. On a laptop, `.env` overrides the last
column (`.env.example`).

`python -m apps.deployment.settings.variables` writes this page.

| variable | meaning | default | setting | stack output | laptop, before `make run` |
|---|---|---|---|---|---|
"""


def document() -> str:
    """Return the text of docs/settings.md."""
    defaults = {name: (setting, default) for name, setting, default in readers()}
    laptop = laptop_values("http://127.0.0.1:4566")
    rows = []
    for name, output, _, meaning in VARIABLES:
        setting, default = defaults[name]
        codes = (_code(text) for text in (setting, output, laptop.get(name, "")))
        cells = (_code(name), meaning, "**required**" if default is None else _code(default), *codes)
        rows.append(f"| {' | '.join(cells)} |".replace("  ", " "))
    return HEADING + "\n".join([*rows, ""])


def _default(call: ast.Call) -> str | None:
    """Return the default: None if a value is required, "" if the default is empty or computed."""
    arguments = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    if not arguments:
        return None if ast.unparse(call.func) in {"env.text", "env.items", "env.number", "env.flag"} else ""
    value = arguments[0].value if isinstance(arguments[0], ast.Constant) else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
