"""Tests of the room `downloads`."""
