"""This test slow, huge, numerous and malicious clients: every one is bounded and the server goes on."""
