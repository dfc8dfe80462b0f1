"""The notebooks as files: what they keep to."""
