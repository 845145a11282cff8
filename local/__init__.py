"""The dev server and the embedded services that it starts where the environment names no real ones."""
