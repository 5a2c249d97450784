"""Runs the same scenarios on the Temporal development server and on Sagamore, and compares what each shows."""
