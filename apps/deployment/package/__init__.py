"""The package that Lambda runs: built, inspected, and tried in the runtime client."""
