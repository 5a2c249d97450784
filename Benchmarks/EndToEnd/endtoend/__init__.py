"""Measurements of the whole: a server of a release build, its PostgreSQL, workers, a Kafka broker. See `scripts/bench`."""
