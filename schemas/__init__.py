"""What may be said: Pydantic models of calls, distributions, observations and configs."""
