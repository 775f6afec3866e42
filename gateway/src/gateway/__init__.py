"""The API gateway: sessions, paid readings, feedback and top-ups, in front of payment and inference."""
