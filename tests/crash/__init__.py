"""The crash test: a recorded load, and the proof that what was acknowledged survived. tests/blackbox/test_kill9.py runs it."""
