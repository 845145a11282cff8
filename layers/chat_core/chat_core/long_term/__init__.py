"""Long-term memory: what is made of the history off the request path, and can be made again from it."""
