"""Models behind the Open Inference Protocol V2."""
