"""One file an operator; each has `record(recorder)`, which adds the operator's cases."""
