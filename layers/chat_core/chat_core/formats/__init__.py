"""Messages as others write them: OpenAI's items and chat messages, LangChain's message dictionaries."""
