"""Kills, outages and bad input: what may go wrong around a running Sagamore, and what must be right afterwards."""
