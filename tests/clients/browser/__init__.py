"""Tests in a real browser: JupyterLab with every notebook. Screenshots lie in build/browser afterwards."""
