"""Tests of what the package stands on."""
