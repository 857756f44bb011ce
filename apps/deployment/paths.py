"""The folders of the project."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
REQUIREMENTS = PROJECT / "requirements"
BUILD = PROJECT / ".build"
INFRASTRUCTURE = PROJECT / "infrastructure"
TEMPLATE = INFRASTRUCTURE / "moped-api.yaml"
