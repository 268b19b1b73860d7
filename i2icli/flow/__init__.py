"""Optical flow between video frames, what it is used to find and measure, and smoothing by it.

Flow goes from the current frame to an earlier one: (H, W, 2), x then y, in pixels; the earlier frame is
sampled at x + flow. OpenCV is imported on first use.
"""
