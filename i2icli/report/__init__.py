"""Self-contained HTML pages: text, tables, curves and images in one file that opens offline."""
