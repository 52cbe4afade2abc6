"""Sends customers' messages at a steady rate and keeps the books on who answered them how."""
