"""Insert the City's thirty workgroups into a database without workgroups."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WORKGROUPS = (
    "Active Transportation & Street Design",
    "Arterial Management",
    "Data & Technology Services",
    "Finance",
    "Human Resources",
    "Office of Special Events",
    "Office of the Director",
    "Parking Enterprise",
    "Parking Meters",
    "Public Information Office",
    "Right-of-Way",
    "Signs & Markings",
    "Smart Mobility",
    "Systems Development",
    "Transportation Engineering",
    "Transportation Development Services",
    "Vision Zero",
    "Other",
    "Urban Trails",
    "Safe Routes to School",
    "Corridor Program Office",
    "Sidewalks",
    "Engineering Services Division",
    "Neighborhood Planning",
    "Project Delivery",
    "Shared Mobility",
    "Sidewalks and Urban Trails",
    "Transportation Demand Management",
    "Community Services Division",
    "Shared Mobility Services",
)
MERGED_INTO_OTHERS = {19, 22}


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    workgroups = apps.get_model("users", "MopedWorkgroup").objects
    if not workgroups.exists():  # never change the City's workgroups
        workgroups.bulk_create(
            # The sequence of a new table gives the ids 1 to 30.
            workgroups.model(workgroup_name=name, is_deleted=number in MERGED_INTO_OTHERS)
            for number, name in enumerate(WORKGROUPS, start=1)
        )


class Migration(migrations.Migration):
    dependencies = [("users", "0001_initial")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
