"""The authorizer: who calls, from an API key or a signed token; the functions behind it believe nobody else."""
