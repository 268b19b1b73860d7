import pytest
import torch

from i2icli.nn.resizing import _weights, resized


@pytest.mark.parametrize("size", [(9, 13), (17, 40), (40, 24), (60, 31), (1, 1)])
def test_the_weights_of_exported_graphs_are_those_of_the_operation(size):
    images = torch.rand(2, 3, 17, 24, dtype=torch.float64)
    down, across = _weights(17, size[0], images), _weights(24, size[1], images)
    torch.testing.assert_close(down @ (images @ across.mT), resized(images, size))


def test_images_of_the_size_come_back_as_they_are():
    images = torch.rand(1, 3, 8, 9)
    assert resized(images, (8, 9)) is images
