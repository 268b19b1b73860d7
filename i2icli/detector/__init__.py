"""Telling pictures of up-convolution networks from photographs."""
