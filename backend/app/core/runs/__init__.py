"""Runs and attempts: requests, transitions between states, and views for people."""
