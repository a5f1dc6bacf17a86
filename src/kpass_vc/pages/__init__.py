"""HTML over HTTP: one file per place a person visits."""
