"""Wire shapes of the chat function's requests; each is imported by the first request that is read as one."""
