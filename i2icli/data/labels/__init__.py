"""Label data: how folders of label maps and photos are arranged, read and checked."""
