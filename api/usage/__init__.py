"""The usage and cost reports over HTTP: two by time bucket, two by person, and the two newer ones."""
