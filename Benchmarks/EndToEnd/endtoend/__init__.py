"""End-to-end measurements: a release server, its PostgreSQL, workers, and a Kafka broker. See `scripts/bench`."""
