"""A stand-in model behind OpenAI's HTTP API: deterministic, offline, and labelled as what it is."""
