"""Running exported graphs (.onnx, .xml) without torch, and looking into them before a runtime does."""
