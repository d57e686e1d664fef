"""The privacy audit of a run or of a release."""
