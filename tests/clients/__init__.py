"""Tests in the programs that readers use: a browser, Colab's versions."""
