"""A real Envoy, driven by localmesh's translation, between tiny in-process backends and a tiny client."""
