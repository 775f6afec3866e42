"""Recipes that make the models; it needs the extra `train`, and no serving code imports it."""
