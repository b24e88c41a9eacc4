"""What the black-box scenarios share: a server under test, a small HTTP client, real clients and a real image."""
