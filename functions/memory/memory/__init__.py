"""The memory function: long-term memory, made when the answer is gone."""
