"""This test takes PostgreSQL away from a running server and gives it back; runs two instances on one database and one storage root."""
