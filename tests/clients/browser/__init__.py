"""Tests in a real browser: JupyterLab with every notebook, and the HTML pages on a phone.

make test-browser; screenshots lie in build/browser afterwards.
"""
