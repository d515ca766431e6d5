"""The usage and cost reports over HTTP: two that cut time into buckets, two by person, and the two newer ones."""
