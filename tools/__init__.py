"""What builds and checks the project; the standard library only, for any Python from 3.11."""
