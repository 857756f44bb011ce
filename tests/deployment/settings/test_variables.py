"""The table of variables names what the settings read, the template provides and the laptop needs."""

import re

from apps.deployment.paths import PROJECT
from apps.deployment.settings import variables
from apps.deployment.settings.variables import VARIABLES
from tests.deployment.template import document


class TestVariables:
    def test_are_those_that_the_settings_read(self) -> None:
        assert {variable.name for variable in VARIABLES} == {name for name, _, _ in variables.readers()}

    def test_have_each_name_once(self) -> None:
        assert len({variable.name for variable in VARIABLES}) == len(VARIABLES)

    def test_name_outputs_of_the_template(self) -> None:
        assert {variable.output for variable in VARIABLES} - {""} <= document()["Outputs"].keys()

    def test_have_a_laptop_value_or_another_source_if_required(self) -> None:
        required = {name for name, _, default in variables.readers() if default is None}

        assert required - variables.laptop_values("").keys() == {"AWS_DEFAULT_REGION", "DATABASE_URL"}

    def test_include_all_of_the_sample_of_a_dotenv_file(self) -> None:
        sample = (PROJECT / ".env.example").read_text()

        names = set(re.findall(r"^#?([A-Z_]+)=", sample, re.MULTILINE))
        assert names
        assert names <= {variable.name for variable in VARIABLES}


class TestDocument:
    def test_is_what_the_table_and_the_settings_say(self) -> None:
        assert variables.DOCUMENT.read_text() == variables.document(), (
            "Run: python -m apps.deployment.settings.variables"
        )
