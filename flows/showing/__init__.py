"""What people see of a run: the report, the artifacts of the UI, contact sheets."""
