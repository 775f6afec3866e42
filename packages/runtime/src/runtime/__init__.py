"""What every service does the same way, and nothing of what any one of them is for."""
