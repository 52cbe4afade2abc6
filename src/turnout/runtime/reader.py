"""Watches: kopf tells of every change of the watched kinds, from a thread of its own."""
