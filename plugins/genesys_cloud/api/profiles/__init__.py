"""One module for each contract of the API; the only place that knows camelCase names."""
